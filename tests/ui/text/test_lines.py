"""Lines fit their room, hostile text is harmless, and the terminal gets what it can show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lossmon.ui.terminal import TRUE_COLOR, Terminal, detect
from lossmon.ui.text.ascii import GLYPHS, to_ascii
from lossmon.ui.text.lines import (
    Line,
    choose,
    clean,
    clip,
    clip_middle,
    clip_start,
    fit,
    plain,
    sentence,
    spread,
    width,
    wrap,
)

HOSTILE = "a\x1b[31m\tb\r\n[/x][red]‮\u200bc"


@given(st.text(max_size=60), st.integers(0, 40))
def test_a_clipped_text_fits_its_room(text: str, room: int) -> None:
    assert cell_len(clip(clean(text), room)) <= max(room, 0)


@given(st.lists(st.text(max_size=12), max_size=5), st.integers(0, 30))
def test_a_fitted_line_fits_its_room(texts: list[str], room: int) -> None:
    line: Line = tuple((clean(text), "muted") for text in texts)
    assert width(fit(line, room)) <= room


@given(st.text(max_size=80), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, room: int) -> None:
    text = clean(text)
    lines = wrap(text, room)
    assert all(cell_len(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_chinese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    assert wrap("出现 NaN（15 个点）", 11) == ["出现 NaN", "（15 个点）"]
    assert wrap("模型开始过拟合。请停止训练。", 14) == ["模型开始过拟", "合。请停止训", "练。"]


def test_what_does_not_fit_is_given_up_by_importance() -> None:
    parts = [(0, (("name", "strong"),)), (2, (("late", "muted"),)), (1, (("step", "muted"),))]
    assert plain(choose(parts, 20)) == "name   late   step"
    assert plain(choose(parts, 10)) == "name  step"
    assert plain(choose(parts, 5)) == "name"
    assert plain(choose(parts, 3)) == "na…"


def test_the_ends_of_a_line_stand_at_its_ends() -> None:
    assert plain(spread((("a", "muted"),), (("z", "muted"),), 5)) == "a   z"


def test_control_characters_are_replaced() -> None:
    assert clean(HOSTILE) == "a�[31m b��[/x][red]��c"


@pytest.mark.parametrize(
    "environ, encoding, colors, unicode",
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "utf-8", TRUE_COLOR, True),
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, "utf-8", 256, True),
        ({"TERM": "screen"}, "utf-8", 16, True),
        ({"TERM": "alacritty"}, "utf-8", 256, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "utf-8", 0, True),
        ({"TERM": "dumb"}, "utf-8", 0, False),
        ({"TERM": "linux", "LANG": "de_DE.UTF-8"}, "utf-8", 16, False),
        ({"TERM": "xterm", "LC_ALL": "C"}, "utf-8", 16, False),
        ({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", 16, False),
        ({"TERM": "xterm", "LC_CTYPE": "C.UTF-8"}, "utf-8", 16, True),
        ({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, "utf-8", 16, True),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1"}, "iso-8859-1", 16, False),
        ({"TERM": "xterm"}, "ascii", 16, False),
        ({"TERM": "xterm"}, "no-such-thing", 16, False),
    ],
)
def test_the_environment_says_what_the_terminal_can(
    environ: dict[str, str], encoding: str, colors: int, unicode: bool
) -> None:
    assert detect(environ, encoding) == Terminal(colors, unicode)


@given(st.text(max_size=40))
def test_ascii_keeps_every_cell_in_its_place(text: str) -> None:
    text = clean(text)
    ascii = to_ascii(text)
    assert ascii.isascii()
    assert len(ascii) == cell_len(text)


def test_every_glyph_has_one_ascii_cell() -> None:
    for code, ascii in GLYPHS.items():
        assert cell_len(chr(code)) == 1
        assert isinstance(ascii, str)
        assert len(ascii) == 1
        assert ascii.isascii()


@pytest.mark.parametrize(
    "value, light",
    [("0;15", True), ("0;default;15", True), ("0;7", True), ("15;0", False), ("", False)],
)
def test_a_light_background_is_known_where_the_terminal_says_so(value: str, light: bool) -> None:
    environ = {"TERM": "xterm-256color", **({"COLORFGBG": value} if value else {})}
    assert detect(environ, "utf-8").light is light


@given(st.text(max_size=60), st.integers(0, 30))
def test_a_text_clipped_elsewhere_fits_its_room_too(text: str, room: int) -> None:
    for shorten in (clip_middle, clip_start):
        short = shorten(clean(text), room)
        assert cell_len(short) <= max(room, 0)
        assert short == clean(text) or "…" in short or not room


def test_names_that_differ_in_their_ends_differ_when_they_are_shortened() -> None:
    assert clip_middle("llama-3-8b-lora-lr1e-4-seed12", 16) == "llama…e-4-seed12"
    assert clip_middle("训练-一号-学习率-二", 11) == "训…习率-二"
    assert clip_middle("short", 5) == "short"
    assert clip_start("/home/me/runs/one", 9) == "…runs/one"


def test_numbers_of_a_sentence_are_spelled_as_in_titles() -> None:
    told = "train 1.095e+12, from 2.1e-09 at step 400; try 1e-4"
    assert sentence(told) == "train 1.095T, from 2.1e-9 at step 400; try 1e-4"


def test_a_sentence_has_minus_signs_before_numbers_alone() -> None:
    told = "train -0.31 (from -1.5e-05, lr=1e-3) is below checkpoint-100 of run-2 in 1-3 evals"
    shown = told.replace(" -0.31", " −0.31").replace("from -1.5e-05", "from −1.5e-5")
    assert sentence(told) == shown
    assert sentence("停止。 继续。") == "停止。继续。"
