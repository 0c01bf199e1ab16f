from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lossmon.sanitize import LONGEST_TEXT, cells, json_text, multiline, one_line

ESCAPE = "\x1b[2Jgone"
LOST = "\N{REPLACEMENT CHARACTER}"
REORDER = "step \N{RIGHT-TO-LEFT OVERRIDE}ssol"


@pytest.mark.parametrize("hostile", [ESCAPE, REORDER, "a\0b", "a\rb", "a\nb", "a\u2028b"])
@pytest.mark.parametrize("function", [one_line, cells])
def test_a_single_line_stays_a_single_line(function: Callable[[str], str], hostile: str) -> None:
    assert function(hostile).isprintable()
    assert len(function(hostile)) == len(hostile)


@pytest.mark.parametrize("text", ["train/loss", "验证 损失", "Rényi-α → ∞"])
@pytest.mark.parametrize("function", [one_line, cells, multiline])
def test_printable_text_of_any_script_is_kept(function: Callable[[str], str], text: str) -> None:
    assert function(text) == text


def test_one_line_keeps_at_most_its_limit() -> None:
    assert one_line("loss\n" * 100, 7) == "loss lo"


def test_cells_keep_letters_and_blanks() -> None:
    assert cells("第\N{IDEOGRAPHIC SPACE}1\t步\a") == f"第 1 步{LOST}"


def test_multiline_keeps_tabs_and_line_ends() -> None:
    assert multiline("a\r\nb\tc\rd\x1b[m") == f"a\nb\tc{LOST}d{LOST}[m"


def test_multiline_marks_a_cut() -> None:
    assert multiline("x" * 9, 4) == "xxxx…"
    assert len(multiline("x" * (LONGEST_TEXT + 1))) == LONGEST_TEXT + 1


def test_multiline_decodes_no_more_bytes_than_it_keeps() -> None:
    assert multiline("步".encode() * 9, 4) == "步步步步…"
    assert multiline(b"\xff loss") == f"{LOST} loss"


@pytest.mark.parametrize(
    "text", [ESCAPE, REORDER, "a\x85b", "a\u2028b", "\udce9", "\U000e0041", "验证 损失 α"]
)
def test_json_is_printable_and_says_the_same(text: str) -> None:
    written = json_text(json.dumps({text: text}, ensure_ascii=False))
    assert written.isprintable()
    assert json.loads(written) == {text: text}
    assert ("α" in text) == ("α" in written)
