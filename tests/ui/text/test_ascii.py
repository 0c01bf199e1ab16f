"""ASCII for terminals that take nothing else."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import lossmon.ui
from lossmon.ui.text.ascii import GLYPHS, to_ascii

HERE = Path(lossmon.ui.__file__).parent
DRAWN_OTHERWISE = {"canvas.py", "annotations.py"}
"""Their curves are drawn with letters where there is nothing else."""


def glyphs(path: Path) -> Iterator[str]:
    """What is drawn: neither ASCII, words, braille nor marks upon a letter; not the docs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        one.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        for one in node.body
        if isinstance(one, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            for char in node.value:
                is_word = unicodedata.east_asian_width(char) in "WF"
                is_mark = unicodedata.category(char)[0] == "M"
                is_braille = 0x2800 <= ord(char) < 0x2900
                if not (char.isascii() or is_word or is_mark or is_braille):
                    yield char


def test_every_glyph_of_the_screen_has_one_in_ascii() -> None:
    modules = [path for path in HERE.rglob("*.py") if path.name not in DRAWN_OTHERWISE]
    found = {char for path in modules for char in glyphs(path)}
    assert len(found) > 30
    assert found - set(map(chr, GLYPHS)) == {"\N{REPLACEMENT CHARACTER}"}


def test_ascii_fills_the_cells_of_what_it_replaces() -> None:
    assert to_ascii("■ □ 训练…") == "# . ????~"
