"""The line that a user types."""

from __future__ import annotations

import pytest
from textual.events import Key

from lossmon.ui.text.lines import plain
from lossmon.ui.widgets.text_input import LONGEST, Entry


def press(entry: Entry, *keys: str) -> list[bool]:
    characters = {"space": " "}
    return [entry.handle(Key(key, key if len(key) == 1 else characters.get(key))) for key in keys]


def test_letters_are_text_only_while_it_is_typed() -> None:
    entry = Entry("/")
    assert press(entry, "q") == [False]
    entry.begin()
    assert press(entry, "q", "space", "x", "backspace") == [True] * 4
    assert entry.text == "q "
    assert plain(entry.line()) == "/q ▏"


def test_enter_keeps_the_text_and_escape_drops_it() -> None:
    entry = Entry("/")
    entry.begin()
    press(entry, "a", "enter")
    assert (entry.text, entry.active) == ("a", False)
    entry.begin("ab")
    press(entry, "escape")
    assert (entry.text, entry.active) == ("", False)


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
def test_a_key_that_ends_the_program_is_never_swallowed(key: str) -> None:
    entry = Entry("/")
    entry.begin()
    assert press(entry, key) == [False]


def test_pasted_text_is_its_first_line_without_control_characters() -> None:
    entry = Entry("/")
    entry.begin("a")
    entry.paste("b\x1b[31mc\nsecond line")
    assert entry.text == "ab[31mc"
    entry.paste("x" * 10_000)
    assert len(entry.text) == LONGEST
