"""ASCII filter of the screen, for terminals that show nothing else."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

GLYPHS = str.maketrans(
    {
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛╔╗╚╝╶╴", "+"),
        **dict.fromkeys("─━═╌┄┈", "-"),
        **dict.fromkeys("│┃║┆┊▌▐▎▏", "|"),
        **dict.fromkeys("▁▂", "_"),
        **dict.fromkeys("▃▄▀", "-"),
        **dict.fromkeys("▅▆", "="),
        **dict.fromkeys("▇█▉▊▋", "#"),
        **dict.fromkeys("░▒", "."),
        "▓": "#",
        "▍": "|",
        "•": "*",
        "·": ".",
        "●": "*",
        "★": "*",
        "○": "o",
        "◌": "o",
        "◆": "*",
        "▼": "v",
        "▲": "!",
        "▸": ">",
        "▾": "v",
        "▴": "^",
        "▪": "#",
        "■": "#",
        "□": ".",
        "┊": ":",
        "►": ">",
        "→": ">",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "✓": "+",
        "✗": "x",
        "✖": "X",
        "×": "x",
        "⚠": "!",
        "‖": "=",
        "…": "~",
        "↵": "$",
        "−": "-",
        "–": "-",
        "—": "-",
        "±": "~",
        "°": " ",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "σ": "s",
        "Δ": "d",
        "²": "2",
        "≈": "~",
        "≤": "<",
        "≥": ">",
    }
)
"""What a glyph of ours becomes; everything else that is not ASCII becomes question marks."""


class Ascii(LineFilter):
    """Replaces what is not ASCII, cell for cell, so that nothing moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(to_ascii(segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """Return ASCII that fills exactly the cells of `text`."""
    text = text.translate(GLYPHS)
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)
