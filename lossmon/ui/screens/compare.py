"""Several runs over each other: one metric at a time, and what differs between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click, MouseEvent

from lossmon.types import RunState
from lossmon.ui.chart.axes.log_x import logarithmic
from lossmon.ui.chart.model import ChartModel, Curve, XAxis
from lossmon.ui.chart.positions import has_axis
from lossmon.ui.compare.runs import ComparedRun, Comparison, common_position, measured
from lossmon.ui.compare.table import ComparisonTable, setting_lines
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import Body
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.state.session import RunLetters
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean
from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.charts.pane import Edge
from lossmon.ui.widgets.charts.viewport import ChartPointer, ChartViewport


class Lower(Body):
    """The rows of the runs and the settings below them, as high as they need."""

    DEFAULT_CSS = "Lower { height: auto; }"

    def wanted_height(self, width: int) -> int:
        return len(self.whole)


class CompareScreen(SceneScreen, ChartPointer):
    """The marked runs, or the run in view beside the newest others."""

    DEFAULT_CSS = """
    CompareScreen Chart { border-left: round $frame; border-right: round $frame; }
    CompareScreen Lower { max-height: 50%; }
    CompareScreen.-strip Lower, CompareScreen.-sliver Lower { max-height: 40%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="page.compare_back", tooltip="Go back"),
        Binding(
            "up,k", "choose(-1)", "up", id="page.compare_up", show=False, tooltip="Run above"
        ),
        Binding(
            "down,j", "choose(1)", "down", id="page.compare_down", show=False, tooltip="Run below"
        ),
        Binding("home", "choose(-8)", "first", id="page.compare_first", show=False,
                tooltip="First run"),
        Binding("end,G", "choose(8)", "last", id="page.compare_last", show=False,
                tooltip="Last run"),
        Binding("enter", "open", "open", id="page.compare_take", tooltip="Open the selected run"),
        Binding("tab,n", "metric(1)", "metric", id="page.compare_next", tooltip="Next metric"),
        Binding(
            "shift+tab,p", "metric(-1)", "metric", id="page.compare_previous",
            tooltip="Previous metric",
        ),
        Binding("b", "baseline", "baseline", id="page.compare_baseline",
                tooltip="Compare with the selected run"),
        Binding("space", "hide", "hide", id="page.compare_hide",
                tooltip="Hide or show the selected run"),
        Binding("left", "move(-1)", "left", id="page.compare_left", show=False,
                tooltip="Cursor one point left"),
        Binding("right", "move(1)", "right", id="page.compare_right", show=False,
                tooltip="Cursor one point right"),
        Binding("shift+left", "far(-1)", "far left", id="page.compare_far_left", show=False,
                tooltip="Cursor far left"),
        Binding("shift+right", "far(1)", "far right", id="page.compare_far_right", show=False,
                tooltip="Cursor far right"),
        Binding("pageup,ctrl+u", "scroll(-1)", "page up", id="page.compare_page_up", show=False,
                tooltip="Scroll the settings up"),
        Binding("pagedown,ctrl+d", "scroll(1)", "page down", id="page.compare_page_down",
                show=False, tooltip="Scroll the settings down"),
    ]  # fmt: skip

    app = getters.app(ViewHost)
    comparison: Comparison

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        # From a view of the comparison it leads back.
        return None if app.comparison() else cls(app.session.letters)

    def __init__(self, letters: RunLetters) -> None:
        super().__init__()
        self.comparison = Comparison(letters)
        self.upper = Edge("╭╮", left=True)
        self.chart = Chart()
        self.between = Edge("├┤", left=True)
        self.body = Lower()
        self.lower = Edge("╰╯", left=False)
        self.rows: list[ComparedRun] = []
        self.viewport = ChartViewport(self.chart)
        self._looked_by: tuple[str, XAxis] | None = None
        """Metric and axis that the viewport was used for."""
        self._asked: frozenset[Path] = frozenset()
        self.x = XAxis.STEP
        """The axis that is shown."""
        self.at: float | None = None
        """Position on it at which the runs are compared, None where there is none."""

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.chart
        yield self.between
        yield self.body
        yield self.lower

    # --------------------------------------------------------------------------- scene in

    def present(self, scene: Scene) -> None:
        self.scene = scene
        self._compare()
        self._draw()
        unknown = {row.run.path for row in self.rows} - self._asked
        if unknown:
            self._asked |= unknown
            self.app.load_settings(unknown)

    def on_resize(self) -> None:
        self.present(self.scene)

    def seen(self) -> tuple[Path, ...]:
        return tuple(self.comparison.paths)

    def _compare(self) -> None:
        """Find out what is compared, and how far the runs are apart."""
        comparison = self.comparison
        comparison.update(self.scene)
        self.x = comparison.axis(comparison.metric, self.scene.chart_settings.x)
        rows = comparison.rows(self.x)
        self._follow(rows)
        cursor = self.viewport.cursor
        self.at = common_position(rows, comparison.base) if cursor is None else cursor
        if cursor is not None and self.viewport.model.log_x:
            self.at = 10.0**cursor
        base = next((row for row in rows if row.run.path == comparison.base), None)
        self.rows = []
        for row in rows:
            level, apart = measured(row, base, self.at)
            self.rows.append(replace(row, level=level, apart=apart))

    def _follow(self, rows: Sequence[ComparedRun]) -> None:
        """Keep what the user looks at while the metric and the axis are the same."""
        metric = self.comparison.metric
        by = None if metric is None else (metric.key, self.x)
        if by != self._looked_by:
            self._looked_by = by
            self.viewport.forget()
        model = self._model(rows)
        self.viewport.update(model, other_axis=False, other_part=False)

    def axes(self, scene: Scene) -> Collection[XAxis]:
        """Axes that at least one of the runs has."""
        pairs = [(row.run, row.series) for row in self.rows if row.series is not None]
        return [x for x in XAxis if any(has_axis(run, series, x) for run, series in pairs)]

    # ---------------------------------------------------------------------------- drawing

    def _draw(self) -> None:
        window = self.viewport.window
        options = replace(
            options_of(self.scene),
            x_axis=self.x,
            x_range=None if window is None else (window.low, window.high),
            cursor=self.viewport.cursor,
        )
        self.chart.show(self._model(self.rows), options)
        self.body.whole = self._lines()
        self._keep_in_view()
        self.body.redraw()
        self._edges()
        # How many lines fit is known only then.
        self.call_after_refresh(self._edges)

    def _model(self, rows: Sequence[ComparedRun]) -> ChartModel:
        """The chosen curve in front, the others in their order and fainter."""
        drawn = [row for row in rows if row.curve is not None and not row.hidden]
        chosen = self.comparison.chosen
        drawn.sort(key=lambda row: row.run.path != chosen)
        curves = tuple(
            self._curve(row, row.curve, strong=row.run.path == chosen or len(drawn) == 1)
            for row in drawn
            if row.curve is not None
        )
        live = any(row.run.state in (RunState.RUNNING, RunState.STALLED) for row in drawn)
        model = ChartModel(curves=curves, live=live)
        return logarithmic(model) if self.scene.chart_settings.log_x else model

    def _curve(self, row: ComparedRun, curve: Curve, *, strong: bool) -> Curve:
        style = row.style if strong else f"{row.style}-calm"
        metric = self.comparison.metric
        exact = metric is not None and metric.key == "eval"
        return replace(
            curve, style=style, letter=row.letter, raw=strong, smooth=curve.smooth and not exact
        )

    def _lines(self) -> Sequence[Line]:
        room = max(1, self.app.size.width - 4)
        if not self.rows:
            return [((self.scene.say("waiting"), MUTED),)]
        scene, compared = self.scene, self.comparison
        table = ComparisonTable(scene, compared.metric, self.at, self.x, self.rows, room)
        lines = [
            table.row(
                row, chosen=row.run.path == compared.chosen, base=row.run.path == compared.base
            )
            for row in self.rows
        ]
        below = setting_lines(scene, compared, room)
        return [table.head(), *lines, *([] if len(self.rows) < 2 else [EMPTY, *below])]

    def _keep_in_view(self) -> None:
        self.body.top = max(0, min(self.body.top, self.body.last_top()))

    def _edges(self) -> None:
        say, count = self.scene.say, len(self.rows)
        heading: list[tuple[int, Line]] = [(0, ((say(self.title_word), STRONG),))]
        metrics, metric = self.comparison.metrics, self.comparison.metric
        if metric is not None:
            label: Line = ((clean(self.scene.metric(metric.label)), f"{TEXT}!"),)
            heading.append((0, label))
            heading.append((3, ((f"{metrics.index(metric) + 1}/{len(metrics)}", MUTED),)))
        heading.append((2, ((self.scene.sorted_by(self.x.value), MUTED),)))
        missing = sum(row.curve is None for row in self.rows)
        if missing and count > missing:
            heading.append((1, ((f"{missing} {say('without it')}", "notice"),)))
        self.upper.show(heading, "frame")
        counted = self.scene.runs(count) if count > 1 else ""
        runs: list[tuple[int, Line]] = [(0, ((counted, MUTED),) if counted else EMPTY)]
        if left_out := self.comparison.left_out:
            runs.append((0, ((f"{left_out} {say('more not shown')}", "notice"),)))
        if count == 1:
            runs.append((0, ((say("one run alone"), MUTED),)))
        self.between.show(runs, "frame")
        self.lower.show([(1, self._place()), *self._hints()], "frame")

    def _place(self) -> Line:
        height, count = self.body.size.height, len(self.body.whole)
        if not height or count <= height:
            return EMPTY
        return ((f"{self.body.top + 1}-{min(count, self.body.top + height)}/{count}", MUTED),)

    def _hints(self) -> list[tuple[int, Line]]:
        keys = (("tab", "metric"), ("m", "all metrics"), ("h", "settings"), ("b", "baseline"),
                ("space", "hide"), ("esc", "back"))  # fmt: skip
        hints = [((key, "key"), (f" {self.scene.say(word)}", MUTED)) for key, word in keys]
        return [(0 if at == len(hints) - 1 else at + 2, hint) for at, hint in enumerate(hints)]

    # ---------------------------------------------------------------------------- actions

    def action_back(self) -> None:
        """Take the cursor and the zoom away, else close the view."""
        if self.viewport.cursor is None and self.viewport.window is None:
            self.app.pop_screen()
        else:
            self.viewport.forget()
            self.present(self.scene)

    def action_choose(self, by: int) -> None:
        """Move the choice."""
        if not self.rows:
            return
        paths, chosen = self.comparison.paths, self.comparison.chosen
        at = paths.index(chosen) if chosen in paths else 0
        self._choose(max(0, min(len(paths) - 1, at + by)))

    def _choose(self, at: int) -> None:
        self.comparison.chosen = self.rows[at].run.path
        line, height = at + 1, max(1, self.body.size.height)
        if at == 0:
            self.body.top = 0
        self.body.top = min(max(self.body.top, line - height + 1), line)
        self._draw()

    def action_open(self) -> None:
        """Look at the chosen run."""
        chosen = (row for row in self.rows if row.run.path == self.comparison.chosen)
        for row in chosen:
            self.app.runs.choose(row.index)
            self.app.pop_screen()

    def action_metric(self, by: int) -> None:
        """Compare by the next or the previous metric, round the ends."""
        metrics, metric = self.comparison.metrics, self.comparison.metric
        if metric is not None:
            self.comparison.metric = metrics[(metrics.index(metric) + by) % len(metrics)]
            self.present(self.scene)

    def action_baseline(self) -> None:
        """Compare with the chosen run."""
        self.comparison.pick_base()
        self.present(self.scene)

    def action_hide(self) -> None:
        """Hide the chosen run, or show it again."""
        self.comparison.hide(self.comparison.chosen)
        self.present(self.scene)

    def action_scroll(self, pages: int) -> None:
        """Move the rows and the settings by almost a screenful."""
        self.body.top += pages * max(1, self.body.size.height - 1)
        self._draw()

    # ------------------------------------------------------------------------------ mouse

    def looked(self) -> None:
        """Compare the runs at the cursor."""
        self.present(self.scene)

    def on_click(self, event: Click) -> None:
        """A click on a run chooses it, two open it; the base puts the cursor on the chart."""
        at = self.body.top + event.y - 1
        if event.widget is self.body and 0 <= at < len(self.rows):
            self._choose(at)
            if event.chain > 1:
                self.action_open()

    def wheel(self, event: MouseEvent, way: int) -> None:
        if self._pointed(event) is None:
            self.body.top += 3 * way
            self._draw()
