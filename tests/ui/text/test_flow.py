"""Running text of several colours."""

from __future__ import annotations

from lossmon.analysis.text_diff import DiffWord, diff
from lossmon.ui.text.flow import flow, marked
from lossmon.ui.text.lines import plain

BRACKETS = ("{+", "+}")


def lines(text: str, room: int) -> list[str]:
    words = diff(text, text).after
    return [plain(line) for line in flow(marked(words, "added", None), room)]


def test_lines_break_at_blanks_and_line_ends() -> None:
    assert lines("one two three\n\n  four", 8) == ["one two ", "three", "", "  four"]


def test_a_blank_at_the_end_of_a_full_line_makes_no_empty_one() -> None:
    assert lines("one two \nthree four", 7) == ["one two", "three ", "four"]


def test_a_word_is_not_broken_at_its_signs() -> None:
    assert lines("we don't `9`", 7) == ["we ", "don't ", "`9`"]


def test_long_words_and_chinese_break_anywhere() -> None:
    assert lines("abcdefgh", 3) == ["abc", "def", "gh"]
    assert lines("今天天气", 5) == ["今天", "天气"]


def test_a_tab_is_four_blanks() -> None:
    assert lines("\treturn", 20) == ["    return"]


def test_of_accents_without_end_three_stay() -> None:
    accent = "\N{COMBINING ACUTE ACCENT}"
    assert lines("e" + accent * 10_000 + "f", 10) == ["e" + accent * 3 + "f"]


def test_marks_without_a_width_take_several_lines() -> None:
    heap = "e" + "\N{THAI CHARACTER SARA I}" * 10_000
    assert max(len(line) for line in lines(heap, 10)) <= 8 * 10


def test_a_changed_line_end_is_shown() -> None:
    words = diff("a b", "a\nb").after
    assert [plain(line) for line in flow(marked(words, "added", None), 9)] == ["a↵", "b"]


def test_brackets_stand_around_the_words_of_a_change() -> None:
    words = (
        DiffWord("a"),
        DiffWord(" ", True),
        DiffWord("b", True),
        DiffWord("\n", True),
        DiffWord("c", True),
    )
    shown = [plain(line) for line in flow(marked(words, "added", BRACKETS), 20)]
    assert shown == ["a {+b↵", "c+}"]
