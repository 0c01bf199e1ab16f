"""Grid of metric panes with one cursor, and the metrics of a run that it shows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import is_
from typing import Protocol

from textual.containers import Grid
from textual.events import MouseEvent

from lossmon.types import MediaSeries, Series
from lossmon.ui.chart.axes.limits import zoomed
from lossmon.ui.chart.axes.ranges import Span
from lossmon.ui.chart.model import ChartOptions, XAxis
from lossmon.ui.chart.readout import step_to
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.metrics.charts import EntryChart, chart_of
from lossmon.ui.metrics.entries import Bands, MetricEntry
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import EMPTY, TEXT, Line, clean
from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.charts.viewport import CLOSER, FARTHER
from lossmon.ui.widgets.guarded import Guarded
from lossmon.ui.widgets.metric_list import Catalogue
from lossmon.ui.widgets.metric_pane import MetricPane

MOST_CURVES = 48
"""Curves that are drawn in one call."""

LONGEST = 0.05
"""Seconds that this may take: a curve of 10,000 points takes half a millisecond, the median of a
group of them ten times as long."""

FEWEST = 2
"""Points to either side that stay in view however far one zooms in."""


class MetricGrid(Guarded, Grid):
    """Panes in columns and rows; a cursor on one of them is shown on all that have its axis."""

    DEFAULT_CSS = """
    MetricGrid { height: 1fr; width: 1fr; grid-gutter: 0; }
    MetricGrid .-unused { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.panes: list[MetricPane] = []
        self.share(1, 1)
        self.cursor: float | None = None
        """Position of the cursor, None without one."""
        self._axis: tuple[XAxis, bool] | None = None
        """What it is a position on, and whether that axis is logarithmic."""
        self._window: Span | None = None
        """Positions in view, None for all."""
        self._waiting: list[MetricPane] = []
        """Panes of the page that still show another one."""

    def compose(self) -> Iterable[MetricPane]:
        yield from self.panes

    @property
    def count(self) -> int:
        """How many charts have a place."""
        return self.columns * self.rows

    def share(self, columns: int, rows: int) -> None:
        """Share the room out among so many columns and rows of charts."""
        self.columns, self.rows = columns, rows
        self.styles.grid_size_columns, self.styles.grid_size_rows = columns, rows
        missing = [MetricPane(at) for at in range(len(self.panes), self.count)]
        if missing:
            self.panes += missing
            if self.is_attached:
                self.mount_all(missing)

    def draw(
        self,
        count: int,
        show: Callable[[MetricPane], None],
        first: int = 0,
        announce: Callable[[MetricPane], None] | None = None,
    ) -> None:
        """Show a page of so many charts; where they have many curves, keys come in between.

        Args:
            show: Shows the chart of a pane.
            first: Place of the pane that is shown at once.
            announce: Shows the frame of a pane whose chart is not in the first picture of the grid;
                without it all of them are.
        """
        for pane in self.panes[count:]:
            pane.add_class("-unused")
        panes = self.panes[:count]
        self._waiting = [*panes[first : first + 1], *panes[:first], *panes[first + 1 :]]
        is_whole = announce is None and not self.is_mounted
        self._draw_some(show, math.inf if is_whole else MOST_CURVES)
        if announce is not None and not self.is_mounted:
            # The screen draws again once it is laid out.
            for pane in self._waiting:
                announce(pane)

    def _draw_some(self, show: Callable[[MetricPane], None], most: float) -> None:
        curves = 0
        end = time.monotonic() + (LONGEST if most < math.inf else most)
        while self._waiting and curves < most and time.monotonic() < end:
            pane = self._waiting.pop(0)
            pane.remove_class("-unused")
            before = pane.chart.model
            show(pane)
            if pane.chart.model is not before:
                curves += len(pane.chart.model.curves)
        if self._waiting and self.is_mounted:
            self.call_after_refresh(self._draw_some, show, most)

    # ------------------------------------------------------------------- cursor and zoom

    def forget(self) -> bool:
        """Take cursor and zoom away; False where there was neither."""
        before, self._axis, self.cursor, self._window = self._axis, None, None, None
        return before is not None

    def point(self, chart: Chart, place: float) -> None:
        """Put the cursor on a place of a chart."""
        self._use(chart)
        self.cursor = place

    def move(self, chart: Chart, direction: int) -> None:
        """Move the cursor along a chart by a point, or by a column where that is further."""
        self._use(chart)
        model, traces = chart.model, chart.traces
        if self.cursor is None:
            frame = chart.frame
            place = step_to(model, math.inf if frame is None else frame.x.high, 0, traces)
        else:
            near = step_to(model, self.cursor, direction, traces)
            far = step_to(model, self.cursor + direction * chart.cell, 0, traces)
            place = max(near, far) if direction > 0 else min(near, far)
        if math.isfinite(place):
            self.cursor = place

    def zoom(self, chart: Chart, factor: float, anchor: float | None = None) -> None:
        """Zoom at a place of a chart, else at the cursor, else at the right edge."""
        self._use(chart)
        frame, whole = chart.frame, chart.whole
        if frame is None or whole is None:
            return
        if anchor is None:
            anchor = frame.x.high if self.cursor is None else self.cursor
        few = [step_to(chart.model, anchor, by, chart.traces) for by in (-FEWEST, FEWEST)]
        least = max(few[1] - few[0], whole.length * 1e-9)
        self._window = zoomed(frame.x, whole, factor, anchor, least)

    def wheel(self, event: MouseEvent, way: int) -> None:
        """Zoom at the mouse, closer where the wheel was turned up."""
        for pane in self.panes:
            position = pane.position(event) if pane.display else None
            if position is not None:
                self.zoom(pane.chart, FARTHER if way > 0 else CLOSER, position)

    def _use(self, chart: Chart) -> None:
        """Forget what was looked at on another axis."""
        axis = _axis_of(chart.options, log_x=chart.model.log_x)
        if axis != self._axis:
            self._axis, self.cursor, self._window = axis, None, None

    def viewed(self, options: ChartOptions, *, log_x: bool) -> ChartOptions:
        """The options of a chart with cursor and zoom, where it has the same axis."""
        if self._axis != _axis_of(options, log_x=log_x):
            return options
        window = self._window
        span = options.x_range if window is None else (window.low, window.high)
        return replace(options, cursor=self.cursor, x_range=span)


def _axis_of(options: ChartOptions, *, log_x: bool) -> tuple[XAxis, bool]:
    return options.x_axis, log_x


def entry_options(scene: Scene, entry: MetricEntry, chart: EntryChart) -> ChartOptions:
    """How the chart of an entry is shown; of a group the y axis is logarithmic by choice alone."""
    options = options_of(scene, entry.lead)
    if not entry.is_group:
        return options
    log_y = scene.chart_settings.log_charts.get(entry.key, False)
    return replace(options, log_y=log_y and chart.high > 0)


class MetricSource(Protocol):
    """Metrics that a grid shows: those of one run, or of several.

    Attributes:
        series: One series per metric.
        media: Histograms, curves and images.
    """

    series: Sequence[Series]
    media: Sequence[MediaSeries]

    def update(self, scene: Scene) -> bool:
        """Take a scene; returns whether there may be other metrics, or more points."""

    @property
    def losses(self) -> Sequence[Series | None]:
        """What stands first, in this order."""

    def chart(self, scene: Scene, entry: MetricEntry) -> tuple[EntryChart, ChartOptions]:
        """The chart of an entry, and how it is shown."""

    def keep(self, keys: Iterable[str]) -> None:
        """Forget what is known of all other entries."""

    def name(self, scene: Scene) -> Line:
        """Whose metrics these are."""


class RunMetrics:
    """The metrics of the run in view."""

    def __init__(self) -> None:
        self.series: Sequence[Series] = ()
        self.media: Sequence[MediaSeries] = ()
        self._catalogue = Catalogue()
        self._bands = Bands()
        self._places: dict[int, int] = {}
        """Index of each series by its id."""
        self._listed: tuple[object, object] = (None, None)

    def update(self, scene: Scene) -> bool:
        run = scene.run
        if run is None:
            changed = bool(self.series or self.media)
            self.series, self.media, self._listed = (), (), (None, None)
            return changed
        if all(map(is_, self._listed, (run.series, run.media))):
            return False
        self._listed = run.series, run.media
        self._catalogue.update(run)
        known = (self._catalogue.run or run).series
        self._places = {id(one): at for at, one in enumerate(known)}
        shown = dict.fromkeys(at for one in self._catalogue.subjects for at in one.shown)
        self.series, self.media = [known[at] for at in shown], run.media
        return True

    @property
    def losses(self) -> Sequence[Series | None]:
        run = self._catalogue.run
        return () if run is None else (run.train_loss, run.eval_loss)

    def chart(self, scene: Scene, entry: MetricEntry) -> tuple[EntryChart, ChartOptions]:
        run, index = self._catalogue.run, self._places[id(entry.lead)]
        assert run is not None
        chart = chart_of(run, scene.chart_settings, entry, index, self._bands)
        return chart, entry_options(scene, entry, chart)

    def keep(self, keys: Iterable[str]) -> None:
        self._bands.keep(keys)

    def name(self, scene: Scene) -> Line:
        return ((clean(scene.run.name), TEXT),) if scene.run else EMPTY
