"""Charts of metric entries: the curve of a series, or the band of a group."""

from __future__ import annotations

from dataclasses import replace

from textual.geometry import Size

from lossmon.fast_dataclass import dataclass
from lossmon.types import RunSnapshot
from lossmon.ui.chart.axes.log_x import logarithmic
from lossmon.ui.chart.model import ChartModel, ChartSettings
from lossmon.ui.chart.positions import placed_curve
from lossmon.ui.chart.run_model import model_of, style_of
from lossmon.ui.metrics.entries import Bands, MetricEntry, as_series

_MARKS = frozenset({"min", "restart"})
"""Kinds of marks in a small chart: others would hide the labels of its axis."""

_EDGE = "series-1-calm"
"""Style of the extremes of a group, fainter than its median."""


@dataclass(frozen=True, slots=True, eq=False)
class EntryChart:
    """An entry as its pane shows it.

    Attributes:
        model: What is drawn.
        style: Colour role of its name.
        last: Newest value; of a group the median; None where several runs are drawn.
        low: Smallest value that is drawn.
        high: Largest value that is drawn.
        note: What is drawn of a group, and of how many of several runs.
    """

    model: ChartModel
    style: str
    last: float | None
    low: float
    high: float
    note: str = ""


def chart_of(
    run: RunSnapshot, settings: ChartSettings, entry: MetricEntry, index: int, bands: Bands
) -> EntryChart:
    """The chart of an entry.

    Args:
        index: Index of the first member into the run's series.
        bands: Where bands of groups are kept.
    """
    model = model_of(run, settings, (index,))
    model = replace(model, marks=tuple(one for one in model.marks if one.kind in _MARKS))
    lead = entry.lead
    if entry.is_group:
        return _group_chart(run, settings, entry, model, bands)
    style = style_of(run, index)
    role = style if style in ("train", "eval") else "foreground"
    return EntryChart(model, role, lead.last, lead.minimum, lead.maximum)


def _group_chart(
    run: RunSnapshot,
    settings: ChartSettings,
    entry: MetricEntry,
    model: ChartModel,
    bands: Bands,
) -> EntryChart:
    band = bands.of(entry)
    low, middle, high = (as_series(entry, band, name) for name in ("low", "middle", "high"))

    curves = tuple(
        replace(placed_curve(run, series, settings.x, style), smooth=False)
        for series, style in ((middle, "other"), (low, _EDGE), (high, _EDGE))
    )
    whole = replace(model, curves=curves, marks=(), log_x=False)
    if settings.log_x:
        whole = logarithmic(replace(whole, total=None))
    return EntryChart(whole, "foreground", middle.last, low.minimum, high.maximum)


CELL = (38, 9)
"""Columns and rows that a chart has at least, where the terminal has several times as many."""

LOW_CELL = 6
"""Rows of a chart in a terminal with fewer than `LOW` rows."""

LOW = 20


SCALES = (0.6, 0.8, 1.0, 1.4, 2.0, 3.0)
"""Sizes of charts to choose from, as a factor of the usual one in both directions."""


def grid_of(size: Size, scale: float = 1.0) -> tuple[int, int]:
    """Columns and rows of charts in a terminal of a size."""
    rows = max(1, size.height - 2)
    height = CELL[1] if rows >= LOW else LOW_CELL
    # Lower charts would have no row for a curve.
    height = max(LOW_CELL - 1, round(height * scale))
    return max(1, size.width // round(CELL[0] * scale)), max(1, rows // height)


def room_of(size: Size, columns: int, rows: int) -> tuple[int, int]:
    """Columns and rows of pixels, two per cell, inside the frame of one chart."""
    return size.width // columns - 4, 2 * ((size.height - 2) // rows - 2)
