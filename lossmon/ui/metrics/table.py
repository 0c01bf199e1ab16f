"""Metrics of a run as a table: which are listed, and a row with a sparkline for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from rich.cells import cell_len

from lossmon.analysis.generalisation_gap import gap_series
from lossmon.types import Axis, RunSnapshot, RunState, Series
from lossmon.types.hardware import is_recorded
from lossmon.ui.chart.axes.ranges import Span, x_span
from lossmon.ui.chart.run_model import reward_charts
from lossmon.ui.chart.sparkline import sparkline_over
from lossmon.ui.metrics.entries import MetricEntry, entries_of, entry_of, key_of
from lossmon.ui.metrics.names import display_name, short_names, shortened
from lossmon.ui.metrics.ranking import matcher, ranked
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import MUTED, TEXT, Line, pad

_SHORT = {
    "learning rate": "lr",
    "gradient norm": "gn",
    "tokens/s": "tok/s",
    "samples/s": "smp/s",
    "model FLOPs utilization": "MFU",
}
"""Labels of a narrow screen."""

VALUE_ROOM = 7
"""Cells of a value: `−1.2e-5` and `12,345` fit."""

LEAST_TREND = 6
"""Cells that a sparkline keeps beside a long label, whose words say more than its cells; in a wide
row it keeps a sixth."""

LEAST_APART = 8
"""Cells of a label from which two labels can always be told apart."""

TWO_COLUMNS = 76
"""Cells from which two metrics can stand side by side."""

VERY_WIDE = 120
"""Cells from which they always do: a longer sparkline says no more."""

MOST_IN_BOX = 5
"""Metrics that a box lists one below the other before it takes two columns."""


def table_rows(count: int, width: int, *, boxed: bool) -> int:
    """Rows that a table of so many metrics fills."""
    return max(1, (count + 1) // 2 if is_double(count, width, boxed=boxed) else count)


def is_double(count: int, width: int, *, boxed: bool) -> bool:
    """Whether two metrics stand side by side: a box as wide as the charts reads as a list."""
    many = count > (MOST_IN_BOX if boxed else 1)
    return width >= VERY_WIDE or (width >= TWO_COLUMNS and many)


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


def entries_in(run: RunSnapshot, pins: Collection[str], text: str) -> list[MetricEntry]:
    """What the panel lists of a run, the most wanted first.

    Args:
        pins: Keys of pinned metrics; a pinned loss is listed as well.
        text: A filter (see `matcher`).
    """
    losses = [run.series[at] for at in (run.train, run.eval) if at is not None]
    # The first of other main charts stands where the losses do, and they stand here.
    found = rows(run)
    led = {key_of(run.series[at]) for chart in reward_charts(run)[:1] for at in chart}
    led |= {key_of(one) for one in found[: not losses]}
    listed = (one for one in found if key_of(one) in pins or key_of(one) not in led)
    series = [*(one for one in losses if led or key_of(one) in pins), *listed]
    fits = matcher(text)
    fitting = [one for one in series if fits(one.tag, one.meaning.label)]
    entries, first = ranked(entries_of(fitting), pins), {key_of(one) for one in losses if led}
    return sorted(entries, key=lambda one: (one.key not in pins, one.key not in first))


def _ranked(series: list[Series]) -> list[Series]:
    return [one.lead for one in ranked([entry_of(one) for one in series])]


def _is_curve(series: Series) -> bool:
    meaning = series.meaning
    if meaning.summary or meaning.key == "epoch" or is_recorded(meaning.key):
        return False
    return len(series) > 0


Spans = Mapping[Axis, tuple[Span, float]]


def spans_of(run: RunSnapshot) -> Spans:
    """The range that all sparklines of an axis share, and the newest position on it."""
    found: dict[Axis, list[Series]] = {}
    for one in run.series:
        if len(one):
            found.setdefault(one.axis, []).append(one)
    live = run.state in (RunState.RUNNING, RunState.STALLED)
    return {axis: _span_of(series, live=live) for axis, series in found.items()}


def _span_of(series: Sequence[Series], *, live: bool = False) -> tuple[Span, float]:
    first = float(min(one.first_step for one in series))
    last = float(max(one.last_step for one in series))
    return x_span(first, last, recent=False, total=None, live=live), last


def table(
    series: Sequence[Series],
    room: int,
    ascii: bool,
    chosen: int | None = None,
    counts: Mapping[str, int] | None = None,
    spans: Spans | None = None,
    named: Callable[[str], str] = str,
    beside: Sequence[Series] = (),
) -> list[Line]:
    """One row per series: label, sparkline, newest value; a pointer before the chosen one.

    Args:
        series: What has a row.
        room: Cells of a row.
        chosen: Place of the chosen row.
        counts: In how many names each word occurs, to shorten names by.
        spans: Range of the sparklines and newest position on each axis; by default a row has
            its own.
        named: Puts a name into the user's language.
        beside: Series in another column, whose names differ from those of these.
    """
    every = (*series, *beside)
    whole = [label_of(one, named) for one in every]
    most = max(5, room - VALUE_ROOM - 4 - max(LEAST_TREND, room // 6))
    # Where a name fits, there is no need for letters.
    labels = [
        long if cell_len(long) <= most else label_of(one, named, short=True)
        for one, long in zip(every, whole, strict=True)
    ]
    label_room = min(most, max(map(cell_len, labels[: len(series)]), default=0))
    if label_room >= LEAST_APART:
        labels = short_names(labels, label_room, counts or {})
    else:
        labels = [shortened(label, label_room, counts or {}) for label in labels]
    values = [value_of(one) for one in series]
    value_room = max([VALUE_ROOM, *map(cell_len, values)])
    spark_room = room - label_room - value_room - 4
    rows = []
    for at, (one, label, value) in enumerate(zip(series, labels, values, strict=False)):
        bars = " " * max(0, spark_room)
        if spark_room >= 4:
            span, until = (spans or {}).get(one.axis) or _span_of([one])
            bars = sparkline_over(one.steps, one.values, span, until, spark_room, ascii)
        alarm = not math.isfinite(one.last)
        rows.append(
            (
                ("▸", "key") if at == chosen else (" ", TEXT),
                *pad(((label, TEXT if at == chosen else MUTED),), label_room),
                (" ", TEXT),
                (bars, "bar"),
                (" ", TEXT),
                (value.rjust(value_room), "critical" if alarm else TEXT),
                (" ", TEXT),
            )
        )
    return rows


def label_of(series: Series, named: Callable[[str], str] = str, *, short: bool = False) -> str:
    """What a series is called on the screen."""
    label = named(display_name(series))
    if short:
        for words, letters in _SHORT.items():
            label = label.replace(words, letters)
    return label


def value_of(series: Series) -> str:
    """Newest value with its unit where it is short."""
    return numbers.value(series.last)
