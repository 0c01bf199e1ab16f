"""Metrics of compared runs: one chart per metric, with a curve for each run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual import events
from textual.geometry import Size
from textual.message import Message

from lossmon.types import MediaSeries, RunSnapshot, RunState, Series
from lossmon.ui.chart.axes.log_x import logarithmic
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.chart.positions import has_axis, placed_curve
from lossmon.ui.compare.runs import Comparison, MetricTable, leads_of, shared_axis, style_of
from lossmon.ui.fleet.names import RunNames
from lossmon.ui.metrics.charts import EntryChart
from lossmon.ui.metrics.entries import Band, Bands, MetricEntry, as_series
from lossmon.ui.scene import Scene
from lossmon.ui.state.session import LETTERS
from lossmon.ui.text.lines import MUTED, TEXT, Line, pad, width
from lossmon.ui.widgets.metric_grid import entry_options
from lossmon.ui.widgets.metric_pane import MetricPane, value_of
from lossmon.ui.widgets.panel import Panel


class ComparedMetrics:
    """The metrics of the runs of a comparison.

    Args:
        comparison: Which runs, and which of them are hidden.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.series: Sequence[Series] = ()
        self.media: Sequence[MediaSeries] = ()
        self._keys: dict[int, str] = {}
        """Keys of the metrics by the id of the series that stands for them."""
        self._bands = comparison.bands
        self._tables: list[MetricTable] = []

    def update(self, scene: Scene) -> bool:
        self.comparison.update(scene)
        before, self._tables = self._tables, self.comparison.tables
        if len(before) == len(self._tables) and all(
            one is other for one, other in zip(before, self._tables, strict=True)
        ):
            return False
        leads = leads_of(self._tables)
        self._keys = {id(one): key for key, one in leads.items()}
        self.series = list(leads.values())
        return True

    @property
    def losses(self) -> Sequence[Series | None]:
        return [one for one in self.series if self.key(one) in ("eval", "train")]

    def key(self, series: Series) -> str:
        """Key of the metric that a series stands for."""
        return self._keys[id(series)]

    def chart(self, scene: Scene, entry: MetricEntry) -> tuple[EntryChart, ChartOptions]:
        compared, found = self.comparison, []
        for run, table in zip(compared.runs, compared.tables, strict=True):
            members = tuple(
                one for lead in entry.members if (one := table.get(self.key(lead))) is not None
            )
            if members and run.path not in compared.hidden:
                found.append((run, members))
        x = shared_axis([(run, one) for run, (one, *_) in found], scene.chart_settings.x)
        series = [
            (run, self._series(entry, run, members))
            for run, members in found
            if has_axis(run, members[0], x)
        ]
        # The selected run lies over the others.
        series.sort(key=lambda one: one[0].path != compared.chosen)
        curves = tuple(
            self._curve(run, placed_curve(run, one, x, style_of(compared.place(run))), entry)
            for run, one in series
        )
        edges = tuple(
            replace(placed_curve(run, one, x, style_of(compared.place(run))), smooth=False)
            for run, members in found
            if entry.is_group and run.path == compared.chosen and has_axis(run, members[0], x)
            for one in self._edges(entry, run, members)
        )
        live = any(run.state in (RunState.RUNNING, RunState.STALLED) for run, _ in series)
        model = ChartModel(curves, context=edges, behind=edges, live=live)
        if scene.chart_settings.log_x:
            model = logarithmic(model)
        known = [one for _, one in series if math.isfinite(one.minimum)]
        low = min((one.minimum for one in known), default=math.nan)
        high = max((one.maximum for one in known), default=math.nan)
        count = sum(run.path not in compared.hidden for run in compared.runs)
        notes = [scene.say("median")] if entry.is_group else []
        notes += [f"{len(series)}/{count}"] if len(series) < count else []
        chart = EntryChart(model, "foreground", None, low, high, " ".join(notes))
        return chart, replace(entry_options(scene, entry, chart), x_axis=x)

    def _series(self, entry: MetricEntry, run: RunSnapshot, members: Sequence[Series]) -> Series:
        """The series of a run; of a group the median of its members."""
        if not entry.is_group:
            return members[0]
        return as_series(entry, self._band(entry, run, members))

    def _edges(
        self, entry: MetricEntry, run: RunSnapshot, members: Sequence[Series]
    ) -> Iterable[Series]:
        """The lowest and the highest member of a group at each step."""
        band = self._band(entry, run, members)
        return (as_series(entry, band, name) for name in ("low", "high"))

    def _band(self, entry: MetricEntry, run: RunSnapshot, members: Sequence[Series]) -> Band:
        bands = self._bands.setdefault(self.comparison.place(run), Bands())
        return bands.of(MetricEntry(entry.key, entry.name, tuple(members)))

    def _curve(self, run: RunSnapshot, curve: Curve, entry: MetricEntry) -> Curve:
        letter = LETTERS[self.comparison.place(run)]
        smooth = curve.smooth and not entry.is_group
        return replace(curve, letter=letter, raw=False, smooth=smooth)

    def choose(self, entry: MetricEntry) -> None:
        """Compare the runs by a metric from now on."""
        key = self.key(entry.lead)
        self.comparison.metric = next(one for one in self.comparison.metrics if one.key == key)

    def keep(self, keys: Iterable[str]) -> None:
        wanted = list(keys)
        for bands in self._bands.values():
            bands.keep(wanted)

    def name(self, scene: Scene) -> Line:
        return ((scene.runs(len(self.comparison.runs)), TEXT),)


FULL_NAME = 12
"""Cells of a name from which a second row of the legend is not worth its room."""

LEAST_NAME = 4
"""Cells of a name below which values give way to it; with less there is only the letter."""

VALUE = 8
"""Cells that most values have with the blank before them."""

LETTER = 2
"""Cells of a letter and a blank."""

GAP = 2
"""Cells between two runs."""

LOW = 20
"""Rows of a terminal below which the legend has one."""


class RunLegend(Panel):
    """Letter, colour, name and value of each run; a click hides a run, or shows it again.

    Args:
        comparison: The runs.
    """

    DEFAULT_CSS = "RunLegend { padding: 0 1; }"

    class Toggled(Message):
        """A run was hidden, or is shown again."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self.comparison = comparison
        self._names = RunNames()
        self._scene = Scene()
        self._values: Mapping[str, float] = {}

    def show(self, scene: Scene, pane: MetricPane) -> None:
        """Show the values of a pane: at its cursor, or the newest."""
        curves = pane.chart.model.curves
        self._scene = scene
        self._values = {curves[one.curve].letter: one.value for one in pane.readings()}
        self.redraw()

    def rows_in(self, size: Size) -> int:
        """Rows that it takes in a terminal of a size."""
        count, room = len(self.comparison.runs), size.width - 2
        self._names.update(tuple(self.comparison.runs))
        name = min(FULL_NAME, self._names.longest)
        fits = count * (LETTER + name + VALUE + GAP) <= room + GAP
        return 1 if fits or size.height < LOW else 2

    def wanted_height(self, width: int) -> int:
        return self.rows_in(self.app.size)

    def _cell(self, width: int) -> tuple[int, int]:
        """Runs per row, and cells that each of them has."""
        per_row = max(1, -(-len(self.comparison.runs) // self.rows_in(self.app.size)))
        return per_row, width // per_row

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        per_row, cell = self._cell(width)
        cells = [self._run(run, cell) for run in self.comparison.runs]
        rows = range(0, len(cells), per_row)
        return [sum(cells[at : at + per_row], ()) for at in rows][:height]

    def _run(self, run: RunSnapshot, cell: int) -> Line:
        place = self.comparison.place(run)
        hidden, letter = run.path in self.comparison.hidden, LETTERS[place]
        role = MUTED if hidden else SERIES_ROLES[style_of(place)]
        room, least = cell - LETTER - VALUE - GAP, min(LEAST_NAME, self._names.longest)
        room = cell - LETTER - 1 if room < least else room
        name = self._names.of(run, room) if room >= least else ""
        line: Line = ((f"{letter} ", f"{role}!"), (name, MUTED if hidden else TEXT))
        value = self._values.get(letter)
        if hidden:
            line = (*line, (f" {self._scene.say('hidden')}", MUTED))
        elif value is not None and len(text := f" {value_of(value)}") < cell - width(line):
            line = (*line, (text, TEXT if math.isfinite(value) else "critical"))
        return pad(line, cell)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        per_row, cell = self._cell(self.content_size.width)
        at = place.y * per_row + min(place.x // max(1, cell), per_row - 1)
        if at < len(self.comparison.runs):
            self.comparison.hide(self.comparison.runs[at].path)
            self.post_message(self.Toggled())
