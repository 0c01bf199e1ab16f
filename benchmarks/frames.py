"""Faults of a screen that its characters show: broken frames, garbage, truncated text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

SIDES = frozenset("│┤├|+")
"""What the side of a frame may be, in Unicode and in ASCII."""

LEFT_ENDS, RIGHT_ENDS = frozenset("╰+"), frozenset("╯+")
RULES = frozenset("─-")

GARBAGE = re.compile(r"\x1b|\[\??\d+(?:;\d+)*[A-Za-z~$]|\d+;\d+[Rc]\b|\N{REPLACEMENT CHARACTER}")
"""Pieces of escape sequences that reached the screen as text, and bytes that were none."""


@dataclass(frozen=True, slots=True)
class Box:
    """A frame, in cells from the upper left corner of the screen; both ends are part of it."""

    left: int
    top: int
    right: int
    bottom: int


def cells_of(row: str) -> list[str]:
    """What stands in each cell of a row; the second cell of a wide character is empty."""
    cells: list[str] = []
    for char in row:
        size = cell_len(char)
        if size == 0 and cells:
            cells[-1] += char
        else:
            cells += [char, *[""] * (size - 1)]
    return cells


def faults(rows: Sequence[str], size: tuple[int, int]) -> list[str]:
    """Everything that is wrong with a screen.

    Args:
        rows: Its lines, the blanks at their ends left away or not.
        size: Columns and rows of the terminal.
    """
    columns, height = size
    found = [f"{len(rows)} lines on {height} rows"] if len(rows) > height else []
    for at, row in enumerate(rows):
        if cell_len(row) > columns:
            found.append(f"line {at} has {cell_len(row)} cells: {row!r}")
        if match := GARBAGE.search(row):
            found.append(f"line {at} holds {match.group()!r}: {row!r}")
        if "Traceback" in row:
            found.append(f"line {at}: {row!r}")
    return [*found, *broken_frames(rows, columns)]


def broken_frames(rows: Sequence[str], columns: int) -> list[str]:
    """Frames with a corner too few, a side with holes, or no end."""
    grid = [[*cells_of(row), *" " * columns][:columns] for row in rows]
    found: list[str] = []
    closed: set[tuple[int, int]] = set()
    for y, row in enumerate(grid):
        for x in _corners(row):
            if (x, y) in closed:
                continue
            box = _follow(grid, x, y)
            if isinstance(box, str):
                found.append(f"frame at column {x}, line {y}: {box}: {''.join(row)!r}")
            else:
                closed.update({(box.left, box.bottom), (box.right, box.bottom)})
    return found


def _corners(row: Sequence[str]) -> Iterator[int]:
    """Cells in which the upper edge of a frame begins, or in ASCII its lower edge."""
    for x, cell in enumerate(row[:-1]):
        in_ascii = cell == "+" and row[x + 1] in RULES and (x == 0 or row[x - 1] in "+|")
        if cell == "╭" or in_ascii:
            yield x


def _follow(grid: Sequence[Sequence[str]], x: int, y: int) -> Box | str:
    """The frame whose upper left corner this is, or what is wrong with it."""
    right = _other_corner(grid[y], x)
    if right is None:
        return "the upper edge has no end"
    for below in range(y + 1, len(grid)):
        first, last = grid[below][x], grid[below][right]
        if first in LEFT_ENDS and not _goes_on(grid, x, right, below):
            return Box(x, y, right, below) if last in RIGHT_ENDS else f"line {below} has no corner"
        if first == last == " ":
            continue  # What is there to be copied has no frame at its sides.
        if first not in SIDES or last not in SIDES:
            return f"line {below} has {first!r} and {last!r} for sides"
    return "no lower edge"


def _other_corner(row: Sequence[str], x: int) -> int | None:
    """Where the upper edge that begins at `x` ends; a title may hold a plus (`+0.04`)."""
    if row[x] == "╭":
        return next((at for at in range(x + 1, len(row)) if row[at] == "╮"), None)
    ends = (at for at in range(x + 1, len(row)) if row[at] == "+" and row[at - 1] in RULES)
    return next((at for at in ends if not row[at + 1 : at + 2] or row[at + 1] in " +|"), None)


def _goes_on(grid: Sequence[Sequence[str]], x: int, right: int, y: int) -> bool:
    """In ASCII a rule across a frame begins as its lower edge does, but sides follow below."""
    return grid[y][x] == "+" and y + 1 < len(grid) and grid[y + 1][x] == grid[y + 1][right] == "|"
