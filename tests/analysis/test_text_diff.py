"""Which words of two answers differ."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.analysis.text_diff import FARTHEST, diff, matches, words


def shown(before: str, after: str) -> tuple[str, str]:
    told = diff(before, after)
    return tuple(  # type: ignore[return-value]
        "".join(f"<{text}>" if changed else text for text, changed in side).replace("><", "")
        for side in (told.before, told.after)
    )


@pytest.mark.parametrize(
    "before, after, expected",
    [
        pytest.param("a red car", "a blue car", ("a <red> car", "a <blue> car"), id="a word"),
        pytest.param("same", "same", ("same", "same"), id="the same"),
        pytest.param("", "new", ("", "<new>"), id="from nothing"),
        pytest.param("gone", "", ("<gone>", ""), id="to nothing"),
        pytest.param("a\nb", "a b", ("a<\n>b", "a< >b"), id="a line end"),
        pytest.param("今天很好", "今天不好", ("今天<很>好", "今天<不>好"), id="Chinese"),
        pytest.param("x = 1", "x = 12", ("x = <1>", "x = <12>"), id="a number is a word"),
        pytest.param(
            "one two three", "four five three", ("<one two> three", "<four five> three"), id="a run"
        ),
        pytest.param(
            "he ate all of the cold soup at once",
            "she drove a car to the nearest big town",
            (
                "<he ate all of the cold soup at once>",
                "<she drove a car to the nearest big town>",
            ),
            id="a word that is the same by chance",
        ),
    ],
)
def test_the_changed_words_are_marked(before: str, after: str, expected: tuple[str, str]) -> None:
    assert shown(before, after) == expected


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abc"), max_size=9))
def test_the_common_words_are_as_many_as_can_be(old: list[str], new: list[str]) -> None:
    longest = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            longest[i][j] = (
                longest[i + 1][j + 1] + 1
                if old[i] == new[j]
                else max(longest[i + 1][j], longest[i][j + 1])
            )
    found = matches(old, new)
    assert found is not None
    assert len(found) == longest[0][0]
    assert all(old[i] == new[j] for i, j in found)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_words_make_up_the_texts_again(before: str, after: str) -> None:
    told = diff(before, after)
    assert "".join(word.text for word in told.before) == before
    assert "".join(word.text for word in told.after) == after
    kept = [[text for text, changed in side if not changed] for side in (told.before, told.after)]
    assert [t for t in kept[0] if t.strip()] == [t for t in kept[1] if t.strip()]


def test_long_texts_are_compared_by_lines_first() -> None:
    lines = [f"line {n} of a long answer with number {n * 7}" for n in range(2 * FARTHEST)]
    other = [line if at % 3 else f"something else entirely, {at}" for at, line in enumerate(lines)]
    before, after = "\n".join(lines), "\n".join(other)
    assert matches(words(before), words(after)) is None
    told = diff(before, after)
    assert "".join(word.text for word in told.after) == after
    kept = "".join(word.text for word in told.before if not word.changed)
    assert "line 1 of a long answer" in kept
    assert "line 3 of a long answer" not in kept
    assert told.gone > FARTHEST
