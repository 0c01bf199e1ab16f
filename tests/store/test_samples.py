"""The texts of a run under their bound."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lossmon.store import media as kept
from lossmon.store.media import SampleStore
from lossmon.types import TextSample


def of(step: int | None, prompt: str = "p", output: str = "o", tag: str = "e") -> TextSample:
    return TextSample(tag, step, output, prompt)


def steps(samples: SampleStore, prompt: str = "p") -> list[int | None]:
    return [one.step for one in samples.all() if one.prompt == prompt]


def test_the_same_tuple_comes_while_nothing_changed() -> None:
    samples = SampleStore()
    samples.add(0, [of(2), of(1)])
    assert [one.step for one in samples.all()] == [1, 2]
    assert samples.all() is samples.all()


def test_an_answer_that_is_logged_again_replaces_the_old_one() -> None:
    samples = SampleStore()
    samples.add(0, [of(1, output="a"), of(1, output="b")])
    assert [one.output for one in samples.all()] == ["b"]


def test_a_file_that_begins_anew_takes_its_answers_away() -> None:
    samples = SampleStore()
    samples.add(0, [of(1), of(2)])
    samples.add(1, [of(3)])
    samples.clear(0)
    samples.add(0, [of(4)])
    assert steps(samples) == [3, 4]
    samples.clear(1)
    samples.clear(0)
    assert samples.all() == ()


def test_the_first_and_the_newest_steps_stay_and_the_others_are_spread() -> None:
    samples = SampleStore()
    for step in range(0, 10_000, 10):
        samples.add(0, [of(step, "p"), of(step, "q")])
    found = [step for step in steps(samples) if step is not None]
    assert len(found) == kept.MOST_TEXT_STEPS
    assert found == steps(samples, "q")
    assert found[0] == 0
    assert found[-2:] == [9980, 9990]
    gaps = [b - a for a, b in pairwise(found)]
    assert max(gaps) <= 60 * min(gaps)
    assert max(gaps) < 1000


def test_an_answer_without_a_step_is_the_last() -> None:
    samples = SampleStore()
    samples.add(0, [of(None), of(5)])
    assert steps(samples) == [5, None]


def test_ever_new_prompts_make_room_for_one_another() -> None:
    samples = SampleStore()
    for step in range(100):
        samples.add(0, [of(step, f"{step} {n}") for n in range(500)])
    found = samples.all()
    assert len(found) <= kept.MOST_SAMPLES
    assert {one.step for one in found} >= {0, 98, 99}


def test_of_too_many_prompts_at_one_step_the_first_are_kept() -> None:
    samples = SampleStore()
    samples.add(0, [of(None, str(n)) for n in range(2 * kept.MOST_SAMPLES)])
    assert [one.prompt for one in samples.all()] == [str(n) for n in range(kept.MOST_SAMPLES)]


def test_long_answers_are_bounded_by_their_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_CHARACTERS", 10_000)
    samples = SampleStore()
    for step in range(50):
        samples.add(0, [of(step, output="x" * 1000)])
    found = samples.all()
    assert sum(len(one.output) for one in found) <= 10_000
    assert [found[0].step, found[-1].step] == [0, 49]
