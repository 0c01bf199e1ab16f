"""Lines of coloured text: what every panel is made of, and how they fit a width.

Text from outside enters as plain `str` and never meets a markup parser. Colours are named by
role, a variable of the theme, so that a line can be built and tested without a screen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from lossmon.ui.text import numbers

Span = tuple[str, str]
"""Text and the role of its colour: `foreground`, `muted`, `train`, `warning`, `badge-warning`…"""

Line = tuple[Span, ...]

TEXT = "foreground"
MUTED = "muted"
STRONG = "strong"
FRAME = "frame"

EMPTY: Line = ()

MISSING: Line = (("—", MUTED),)
"""Stands in a table for a value that there is not."""

TINT = "+tint"
"""A role that ends so has a ground of its own."""

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """Replace what would move the cursor or reorder the text; tabs become one blank."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if char == "\t" else "\N{REPLACEMENT CHARACTER}" if _is_unsafe(char) else char
        for char in text
    )


_HYPHEN = re.compile(r"(?<![\w.)\]/-])-(?=[\d.])")
_EXPONENT = re.compile(r"(?<![\w.])\d(?:\.\d+)?e[+-]\d\d+\b")


def sentence(text: str) -> str:
    """A sentence of a diagnosis as the screen writes it: clean, with minus signs before numbers,
    and very large and small ones as titles have them.

    Chinese sentences follow each other without a blank.
    """
    text = _EXPONENT.sub(lambda found: numbers.si(float(found[0]), 4), clean(text))
    return _HYPHEN.sub("−", text).replace("。 ", "。")


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE


def width(line: Line) -> int:
    """Cells that the line takes."""
    return sum(cell_len(text) for text, _ in line)


def plain(line: Line) -> str:
    """The text alone."""
    return "".join(text for text, _ in line)


def clip(text: str, room: int) -> str:
    """Shorten text to `room` cells, with an ellipsis in the last one."""
    if cell_len(text) <= room:
        return text
    if room <= 0:
        return ""
    return set_cell_size(text, room - 1).rstrip() + "…"


def clip_middle(text: str, room: int) -> str:
    """Shorten text to `room` cells, with an ellipsis in its middle.

    Names of runs and paths often differ at their ends alone.
    """
    if cell_len(text) <= room:
        return text
    if room < 5:
        return clip(text, room)
    head = set_cell_size(text, (room - 1) // 3).rstrip()
    return head + clip_start(text, room - cell_len(head))


def clip_start(text: str, room: int) -> str:
    """Shorten text to its last `room` cells, with an ellipsis in the first one."""
    if cell_len(text) <= room:
        return text
    while cell_len(text) > max(0, room - 1):
        text = text[1:]
    return "…" * (room > 0) + text.lstrip()


def fit(line: Line, room: int) -> Line:
    """Shorten a line to `room` cells, with an ellipsis where it was cut."""
    if width(line) <= room:
        return line
    kept: list[Span] = []
    left = room
    for text, role in line:
        size = cell_len(text)
        if size < left:
            kept.append((text, role))
            left -= size
            continue
        kept.append((clip(text + " " * (left + 1 - size), left), role))
        break
    return tuple(kept)


def spread(left: Line, right: Line, room: int) -> Line:
    """Put one line at each end of `room` cells; the right one goes first when both do not fit."""
    gap = room - width(left) - width(right)
    if gap < 1:
        return fit(left, room)
    return (*left, (" " * gap, TEXT), *right)


def indented(line: Line) -> Line:
    """The line behind one blank; an empty line stays empty."""
    return ((" ", TEXT), *line) if line else EMPTY


def pad(line: Line, room: int) -> Line:
    """Fill or shorten a line to exactly `room` cells."""
    line = fit(line, room)
    missing = room - width(line)
    return (*line, (" " * missing, TEXT)) if missing > 0 else line


def pointer(*, chosen: bool) -> Span:
    """What stands before a row of a list."""
    return ("▸ " if chosen else "  ", "key")


def join(parts: Iterable[Line], between: Span = ("   ", TEXT)) -> Line:
    """Put parts one behind the other; empty ones leave no gap."""
    line: list[Span] = []
    for part in parts:
        if part:
            if line:
                line.append(between)
            line.extend(part)
    return tuple(line)


def choose(parts: Sequence[tuple[int, Line]], room: int, gap: int = 3) -> Line:
    """Join the parts that fit, giving up the least important first.

    Args:
        parts: Importance (0 is given up last) and line, in the order they stand.
        room: Cells.
        gap: Blanks between two parts; tightened to one before anything is given up.
    """
    kept = [part for part in parts if part[1]]
    while kept:
        for blanks in range(gap, 0, -1):
            line = join((part for _, part in kept), (" " * blanks, TEXT))
            if width(line) <= room:
                return line
        if len(kept) == 1:
            return fit(kept[0][1], room)
        # Of equals the last goes first.
        least = max(range(len(kept)), key=lambda at: (kept[at][0], at))
        del kept[least]
    return EMPTY


def bar(share: float, cells: int) -> Line:
    """A bar of `cells` cells, filled to eighths of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * cells * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return ((filled, "bar"), ("░" * (cells - len(filled)), "frame"))


def edge_line(
    corners: str, parts: Sequence[tuple[int, Line]], role: str, room: int, *, left: bool
) -> Line:
    """The upper or lower edge of a frame with a text in it.

    Args:
        corners: The characters at both ends.
        parts: Importance and line of what the text holds.
        room: Cells.
        left: The text stands at the left; else at the right.
    """
    start, end = corners[0], corners[1]
    if room < 6:
        return fit(((start + "─" * (room - 2) + end, role),), room)
    text = choose(parts, room - 6, 2)
    if text:
        text = ((" ", TEXT), *text, (" ", TEXT))
    rule = "─" * (room - 3 - width(text))
    if left:
        return ((start + "─", role), *text, (rule + end, role))
    return ((start + rule, role), *text, ("─" + end, role))


def wrap(text: str, room: int) -> list[str]:
    """Break text into lines of at most `room` cells, at blanks where there are any.

    Scripts without blanks (Chinese) break between characters.
    """
    return list(_wrapped(text, room))


@lru_cache(512)
def _wrapped(text: str, room: int) -> tuple[str, ...]:
    lines: list[str] = []
    line, size = "", 0
    for word in _words(text):
        length = cell_len(word)
        if size + cell_len(word.rstrip()) <= room:
            line, size = line + word, size + length
            continue
        if line.strip():
            lines.append(line.rstrip())
        while cell_len(word) > room > 0:
            head = set_cell_size(word, room).rstrip() or word[:1]
            lines.append(head)
            word = word[len(head) :]
        line, size = word, cell_len(word)
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return tuple(lines)


def _words(text: str) -> Iterable[str]:
    """Pieces that stay whole, each with the blanks behind it."""
    word = ""
    for char in text:
        if word and char != " " and may_break(word[-1], char):
            yield word
            word = ""
        word += char
    if word:
        yield word


def may_break(before: str, char: str) -> bool:
    """Whether a line may end between two characters."""
    if before == " ":
        return True
    return (_is_wide(before) or _is_wide(char)) and not _closes(char) and before not in _OPENING


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


_OPENING = "（「『《“‘([{"
"""Punctuation that must not end a line."""


def _closes(char: str) -> bool:
    """Punctuation that must not begin a line."""
    return char in "，。；：！？、）》」』”’,.;:!?)]}%"
