"""Every scalar that is not the headline loss: a sparkline and its newest value."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from lossmon.hardware.nodes import is_recorded
from lossmon.outlook.gap import gap_series
from lossmon.types import Kind, RunSnapshot, Series
from lossmon.ui import numbers
from lossmon.ui.lines import EMPTY, MUTED, TEXT, Line, clean, clip, pad
from lossmon.ui.scene import Scene
from lossmon.ui.sparkline import sparkline
from lossmon.ui.trend import columns
from lossmon.ui.widgets.panel import Panel

_ORDER = (Kind.LEARNING_RATE, Kind.GRAD_NORM, Kind.METRIC, Kind.LOSS, Kind.THROUGHPUT, Kind.OTHER)
"""What a person asks of first, behind the loss."""

_SHORT = {
    "learning rate": "lr",
    "grad norm": "gn",
    "gradient norm": "gn",
    "tokens/s": "tok/s",
    "samples/s": "smp/s",
}
"""Labels of a narrow screen."""

VALUE_ROOM = 8
"""Cells of a value: `-1.2e-05` and `12,345` fit."""

LEAST_TREND = 14
"""Cells that a sparkline keeps beside a long label."""

TWO_COLUMNS = 76
"""Cells from which two metrics can stand side by side."""

VERY_WIDE = 120
"""Cells from which they always do: a longer sparkline says no more."""

MOST_IN_BOX = 5
"""Metrics that a box lists one below the other before it takes two columns."""


def others(run: RunSnapshot) -> list[Series]:
    """What the panel shows of a run, the most wanted first."""
    shown = [
        series
        for index, series in enumerate(run.series)
        if index not in (run.train, run.eval) and _is_curve(series)
    ]
    return _ranked(shown)


def rows(run: RunSnapshot) -> list[Series]:
    """The scalars and, among them, the gap between both losses."""
    gap = gap_series(run)
    return _ranked([*others(run), *([gap] if gap is not None else [])])


def _ranked(series: list[Series]) -> list[Series]:
    return sorted(series, key=lambda one: (_ORDER.index(one.meaning.kind), one.meaning.part))


def _is_curve(series: Series) -> bool:
    meaning = series.meaning
    if meaning.summary or meaning.key == "epoch" or is_recorded(meaning.key):
        return False
    return len(series) > 0


class Metrics(Panel, can_focus=True):
    """Sparklines of the run in view."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.scene = Scene()
        self.series: list[Series] = []

    def on_mount(self) -> None:
        self.border_title = Content(self.scene.say("metrics"))

    def show(self, scene: Scene) -> None:
        """Show the scalars of a scene's run."""
        self.scene = scene
        self.series = rows(scene.run) if scene.run else []
        self.set_class(not self.series, "-empty")
        self.redraw()

    def wanted_height(self, width: int) -> int:
        count = len(self.series)
        return max(1, (count + 1) // 2 if self._is_double(width) else count)

    def _is_double(self, width: int) -> bool:
        """Whether two metrics stand side by side: a box as wide as the charts reads as a list."""
        boxed = self.styles.gutter.top > 0
        many = len(self.series) > (MOST_IN_BOX if boxed else 1)
        return width >= VERY_WIDE or (width >= TWO_COLUMNS and many)

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        ascii = not self.scene.terminal.unicode
        if self._is_double(width):
            half = (width - 2) // 2
            rows = min(height, (len(self.series) + 1) // 2)
            left = table(self.series[:rows], half, ascii, self.scene.language)
            right = table(self.series[rows : 2 * rows], half, ascii, self.scene.language)
            right += [EMPTY] * (len(left) - len(right))
            return [
                (*pad(one, half), ("  ", TEXT), *two) for one, two in zip(left, right, strict=True)
            ]
        return table(self.series[:height], width, ascii, self.scene.language)


def table(series: Sequence[Series], room: int, ascii: bool, language: str) -> list[Line]:
    """One row a series: label, sparkline, newest value."""
    labels = [label_of(one, short=room < 50) for one in series]
    most = max(5, room - VALUE_ROOM - 4 - LEAST_TREND)
    label_room = min(most, max(map(cell_len, labels), default=0))
    values = [value_of(one) for one in series]
    value_room = max([VALUE_ROOM, *map(cell_len, values)])
    spark_room = room - label_room - value_room - 4
    rows = []
    for one, label, value in zip(series, labels, values, strict=True):
        bars = " " * max(0, spark_room)
        if spark_room >= 4:
            trend = columns(one.values, spark_room)
            bars = sparkline(trend, min(len(trend), spark_room), ascii).ljust(spark_room)
        alarm = not math.isfinite(one.last)
        rows.append(
            (
                (" ", TEXT),
                *pad(((clip(label, label_room), MUTED),), label_room),
                (" ", TEXT),
                (bars, "bar"),
                (" ", TEXT),
                (value.rjust(value_room), "critical" if alarm else TEXT),
                (" ", TEXT),
            )
        )
    return rows


def label_of(series: Series, *, short: bool = False) -> str:
    """What a series is called on the screen."""
    label = clean(series.meaning.label or series.tag)
    return _SHORT.get(label, label) if short else label


def value_of(series: Series) -> str:
    """Newest value with its unit where it is short."""
    return numbers.value(series.last)
