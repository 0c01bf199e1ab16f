"""Places of the dashboard before Textual is imported: where its style sheet will put what.

`app.tcss` says how the dashboard is laid out; a test compares both at every breakpoint.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

from lossmon.fast_dataclass import dataclass
from lossmon.types import HardwareReading
from lossmon.ui.dashboard.main_panes import CRAMPED, PANES
from lossmon.ui.metrics.table import table_rows

MOST_LOG = {"-low": 4, "-tall": 5, "-taller": 5}
"""Rows that the log has at most, by the class of the screen's rows; else `MOST_ROWS`."""

MOST_ROWS = 8
"""Rows that the log and the verdicts have at most on a high screen."""

MOST_METRICS = {
    "-short": (3, 2, 4),
    "-low": (4, 3, 5),
    "-tall": (6, 6, 6),
    "-taller": (8, 8, 8),
    "-very-tall": (14, 14, 14),
}
"""Rows that the metrics have at most: on a narrow, a normal and a wide screen."""


MOST_HARDWARE = {"-strip": 1, "-short": 2, "-low": 4, "-tall": 5, "-taller": 6}
"""Rows that the hardware has at most below the charts; else ten."""


class Place(NamedTuple):
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there is to show.

    Attributes:
        notice: There is a notice.
        metrics: Metrics in the panel; 0 where it is closed or empty.
        log: Lines of the log; 0 where it is closed or empty.
        verdicts: Rows of the verdicts; 0 where they are closed.
        hardware: Rows of the hardware; 0 where it is closed or empty.
        charts: Main panes that there are.
        overlaid: The user wants all losses in one pane.
    """

    notice: bool
    metrics: int
    log: int
    verdicts: int
    hardware: int
    charts: Collection[str]
    overlaid: bool


def is_narrow(width: int) -> bool:
    """Whether a screen of so many columns has two short lines instead of a header."""
    return classes_of(width, 0)[0] in ("-tiny", "-narrow")


def is_wide(width: int) -> bool:
    """Whether a screen of so many columns has a side column."""
    return classes_of(width, 0)[0] in ("-wide", "-very-wide")


def pending_rows(reading: HardwareReading, width: int) -> int:
    """Rows of the hardware before its first sample: the note, and room for what will stand there,
    so that the charts keep their height."""
    known = reading.expected or 0
    return 1 + max(known, not is_narrow(width))


def main_places(width: int, height: int, wanted: Wanted) -> dict[str, Place]:
    """Places of the visible main panes, in their order.

    Args:
        width: Columns of the screen.
        height: Its rows.
        wanted: What there is to show.
    """
    columns, rows = classes_of(width, height)
    narrow, wide = is_narrow(width), is_wide(width)
    bare = rows in ("-sliver", "-strip")
    top = 2 + wanted.notice
    below = 0 if bare else 1
    if wanted.log and not bare and rows != "-short":
        most = 2 if narrow and rows == "-low" else MOST_LOG.get(rows, MOST_ROWS)
        below += min(most, wanted.log + (0 if narrow else 2))
    if wanted.verdicts and columns == "-normal" and rows == "-very-tall":
        below += min(MOST_ROWS, wanted.verdicts + 2)
    if not wide and rows != "-sliver":
        below += min(wanted.hardware, MOST_HARDWARE.get(rows, 10))
    if wide and not bare:
        width -= 36 if columns == "-wide" else max(36, min(44, width // 4))
    if wanted.metrics and not bare:
        most = MOST_METRICS[rows][0 if narrow else 2 if wide else 1]
        frame = 2 if wide else 0
        below += min(most, table_rows(wanted.metrics, width - frame, boxed=wide) + frame)
    room = Place(0, top, width, height - top - below)
    names = _visible(columns, rows, wanted)
    beside = columns == "-very-wide" and not ("more" in wanted.charts and width < CRAMPED)
    return dict(zip(names, _shared(room, len(names), beside=beside), strict=True))


def _visible(columns: str, rows: str, wanted: Wanted) -> list[str]:
    high = rows in ("-taller", "-very-tall")
    many = columns == "-very-wide" or (high and columns == "-wide")
    may = {"train": True, "eval": many or (high and columns == "-normal"), "more": many}
    if "train" not in wanted.charts:
        return ["eval"]
    names = [name for name in PANES if may[name] and name in wanted.charts]
    return names[:1] if wanted.overlaid else names


def _shared(room: Place, count: int, *, beside: bool) -> list[Place]:
    """A room in equal parts, side by side or one above the other."""
    x, y, width, height = room
    if beside:
        edges = [at * width // count for at in range(count + 1)]
        return [Place(x + a, y, b - a, height) for a, b in pairwise(edges)]
    edges = [at * height // count for at in range(count + 1)]
    return [Place(x, y + a, width, b - a) for a, b in pairwise(edges)]


Breakpoints = list[tuple[int, str]]

COLUMNS: Breakpoints = [
    (0, "-tiny"),
    (40, "-narrow"),
    (60, "-normal"),
    (110, "-wide"),
    (150, "-very-wide"),
]
"""Columns from which a class is set; `app.tcss` says what each means."""

ROWS: Breakpoints = [
    (0, "-sliver"),
    (9, "-strip"),
    (14, "-short"),
    (20, "-low"),
    (30, "-tall"),
    (38, "-taller"),
    (46, "-very-tall"),
]
"""Rows from which a class is set."""


def classes_of(width: int, height: int) -> tuple[str, str]:
    """The classes of a screen of so many columns and rows."""
    columns = [name for least, name in COLUMNS if width >= least]
    rows = [name for least, name in ROWS if height >= least]
    return columns[-1], rows[-1]
