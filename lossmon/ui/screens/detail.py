"""One metric full screen: zoom, pan, a cursor with its numbers, marks with their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Self

from textual import events, getters
from textual.app import ComposeResult
from textual.binding import BindingType

from lossmon.monitor.runs.run_state import steps_per_epoch
from lossmon.types import RunSnapshot, Series
from lossmon.ui.chart.axes.limits import EXAMPLE, LimitsError, parse_limits
from lossmon.ui.chart.axes.log_x import log_position
from lossmon.ui.chart.markers import Marker, markers_of, word_of_value
from lossmon.ui.chart.model import ChartModel, ChartOptions, XAxis
from lossmon.ui.chart.positions import counts_epochs
from lossmon.ui.chart.readout import Reading, readout
from lossmon.ui.chart.run_model import model_of
from lossmon.ui.dashboard.chart_titles import options_of, shade_of
from lossmon.ui.dashboard.main_panes import titles
from lossmon.ui.keys import DETAIL_BINDINGS, DETAIL_FOOTER, footer
from lossmon.ui.metrics.entries import key_of
from lossmon.ui.metrics.names import named
from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.scene_screen import DetailRequested, TypingScreen
from lossmon.ui.text.lines import EMPTY, MUTED, Line, clean
from lossmon.ui.widgets.charts.chart import Chart
from lossmon.ui.widgets.charts.pane import Edge
from lossmon.ui.widgets.charts.readings import Legend, Readings
from lossmon.ui.widgets.charts.viewport import ChartPointer, ChartViewport
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.metric_list import LOSSES, Catalogue, Subject

MOST_WORDS = 3
"""Marks in the column of the cursor that are named; of more, how many."""


class DetailScreen(TypingScreen, ChartPointer):
    """The chart of one subject of the run in view.

    Args:
        key: Key of the subject (see `Catalogue`), both losses by default.
        step: Step to put the cursor on, or None.
        remapped: Other keys for actions, by binding id.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(DETAIL_BINDINGS)

    app = getters.app(ViewHost)

    # The chart has what the rows of numbers leave.
    DEFAULT_CSS = """
    DetailScreen Chart { border-left: round $frame; border-right: round $frame; }
    DetailScreen #readings { height: auto; max-height: 5; }
    DetailScreen.-short #readings { max-height: 3; }
    DetailScreen #legend { height: auto; max-height: 3; }
    DetailScreen.-sliver #readings, DetailScreen.-sliver #legend { display: none; }
    DetailScreen.-strip #legend { display: none; }
    """

    @classmethod
    def create_for(cls, app: ViewHost, request: DetailRequested) -> Self | None:
        """Make the screen for a request; where a chart is below, go back to it."""
        if app.runs.run is None:
            return None
        below = app.below
        if not isinstance(below, cls) or request.key is not None:
            return cls(request.key or LOSSES, request.step, app.config.keys)
        below.ask(request.step)
        app.pop_screen()
        return None

    def __init__(
        self,
        key: str = LOSSES,
        step: int | None = None,
        remapped: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.key = key
        self.wrong = ""
        """What is wrong with the limits that are being typed."""
        self.catalogue = Catalogue()
        self.markers: tuple[Marker, ...] = ()
        self.upper = Edge("╭╮", left=True)
        self.chart = Chart()
        self.lower = Edge("╰╯", left=False)
        self.readings = Readings(id="readings")
        self.legend = Legend(id="legend")
        self.viewport = ChartViewport(self.chart)
        self.keys = Keys(
            footer(DETAIL_BINDINGS, DETAIL_FOOTER, remapped or {}),
            lambda text: self.scene.say(text),
            id="keys",
        )
        self._options = ChartOptions()
        self._asked = step
        self._path: object = None

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.chart
        yield self.lower
        yield self.readings
        yield self.legend
        yield self.keys

    # ------------------------------------------------------------------------------ scene

    def present(self, scene: Scene) -> None:
        before, self.scene = self.scene, scene
        self.keys.redraw()
        run, viewport = scene.run, self.viewport
        if run is None:
            viewport.model = ChartModel()
            self._draw()
            return
        if run.path != self._path:
            self._path = run.path
            viewport.forget()
        self.catalogue.update(run)
        viewport.update(
            self._chart_of(scene),
            other_axis=before.chart_settings.x is not scene.chart_settings.x,
            other_part=before.chart_settings.recent is not scene.chart_settings.recent,
        )
        if self._asked is not None and viewport.model.curves:
            viewport.look_at(self._asked)
            self._asked = None
        self._draw()

    @property
    def subject(self) -> Subject | None:
        """What is looked at, None while there is nothing."""
        return self.catalogue.find(self.key)

    @property
    def _lead(self) -> Series | None:
        """The first series of what is looked at."""
        run, subject = self.catalogue.run, self.subject
        return None if run is None or subject is None else run.series[subject.shown[0]]

    @property
    def step(self) -> int | None:
        """The step at the cursor, else the last in view; None while that is the newest."""
        if self.viewport.cursor is None and self.viewport.follows:
            return None
        readings = self._readings()
        return readings[0].step if readings else None

    def shown_steps(self, scene: Scene) -> tuple[float, float] | None:
        frame, viewport = self.chart.frame, self.viewport
        if frame is None or (viewport.window is None and not scene.chart_settings.recent):
            return None
        first, last = (
            readout(viewport.model, at, self.chart.traces) for at in (frame.x.low, frame.x.high)
        )
        return (float(first[0].step), float(last[0].step)) if first and last else None

    def ask(self, step: int | None) -> None:
        """Put the cursor on a step as soon as the view is on top again."""
        self._asked = step

    def _chart_of(self, scene: Scene) -> ChartModel:
        run, subject = self.catalogue.run, self.subject
        if run is None or subject is None:
            self.markers = ()
            return ChartModel()
        context = () if scene.chart_settings.own else subject.beside
        behind = subject.beside if run.eval in subject.shown else ()
        self.markers = markers_of(run, subject.shown, scene.chart_settings.x, scene.language)
        if scene.chart_settings.log_x:
            self.markers = tuple(
                replace(one, mark=replace(one.mark, x=log_position(one.mark.x)))
                for one in self.markers
                if one.mark.x > 0
            )
        model = model_of(run, scene.chart_settings, subject.shown, context, behind)
        marks = tuple(marker.mark for marker in self.markers)
        return replace(named(model, run, subject.shown), marks=marks)

    # ------------------------------------------------------------------------------- draw

    def _draw(self) -> None:
        scene = self.scene
        window, values = self.viewport.window, self.viewport.values
        options = options_of(scene, self._lead)
        if values is not None and options.log_y and values[0] <= 0:
            values = None
        self._options = replace(
            options,
            x_range=None if window is None else (window.low, window.high),
            y_range=values,
            shade_gap=shade_of(scene),
            points=True,
            cursor=self.viewport.cursor,
        )
        self.chart.show(self.viewport.model, self._options)
        self.edges()
        readings = self._readings()
        run = self.catalogue.run
        if run is not None and self.subject is not None:
            ratios = [_epochs(run, index) for index in self.subject.shown]
            self.readings.show(scene, self.viewport.model, self._options, readings, ratios)
        frame = self.chart.frame
        span = None if frame is None else frame.x
        self.legend.show(scene, self.viewport.model.marks, self._options, self.chart.found, span)

    def on_resize(self) -> None:
        # What the chart found is known once it is painted in its new size.
        self.call_after_refresh(self._draw)

    def edges(self) -> None:
        """Bring the title, the words at the cursor and the hints up to date."""
        self.upper.show(self._title(), "frame")
        hint: Line = (("esc", "key"), (f" {self.scene.say('back')}", MUTED))
        if self.entry.active:
            hint = (("esc", "key"), (f" {self.scene.say('cancel')}", MUTED))
            self.lower.show([(0, self.entry.line()), (1, hint)], "focus")
            return
        self.lower.show([(0, self._words()), (2, self._place()), (1, hint)], "frame")

    def _title(self) -> list[tuple[int, Line]]:
        run, subject = self.catalogue.run, self.subject
        if self.entry.active:
            hint = self.wrong or EXAMPLE
            return [(0, ((clean(hint), "warning" if self.wrong else MUTED),))]
        if run is None or subject is None:
            return []
        parts = titles(self.scene, run, subject.shown, self.chart.traces, self.size.width)
        place = f"{self.catalogue.subjects.index(subject) + 1}/{len(self.catalogue.subjects)}"
        return [*parts, (5, ((place, MUTED),)), (6, ((clean(run.name), MUTED),))]

    def _words(self) -> Line:
        """What happened at the cursor."""
        cursor, reach = self.viewport.cursor, self.chart.cell / 2
        if cursor is None:
            return EMPTY
        near = [one for one in self.markers if abs(one.mark.x - cursor) <= reach]
        words = [one.words for one in sorted(near, key=lambda one: abs(one.mark.x - cursor))]
        for reading in self._readings():
            word = word_of_value(reading.value, self.chart.frame, self.scene.language)
            if word and abs(reading.x - cursor) <= reach:
                words.insert(0, word)
        unique = list(dict.fromkeys(words))
        more = f" +{len(unique) - MOST_WORDS}" if len(unique) > MOST_WORDS else ""
        return ((", ".join(unique[:MOST_WORDS]) + more, "key"),) if unique else EMPTY

    def _place(self) -> Line:
        if self.viewport.window is None:
            return EMPTY
        word = "following" if self.viewport.follows else "fixed window"
        return ((self.scene.say(word), MUTED),)

    def _readings(self) -> tuple[Reading, ...]:
        return self.viewport.readings()

    # ------------------------------------------------------------------------------- keys

    def action_back(self) -> None:
        """Back to where it was opened."""
        self.app.pop_screen()

    def action_move(self, points: int) -> None:
        """Move the cursor along the curve; the first key puts it on the newest point in view."""
        self.viewport.move(points)
        self._draw()

    def action_far(self, direction: int) -> None:
        """Move the cursor by many points."""
        self.viewport.far(direction)
        self._draw()

    def action_zoom(self, factor: float) -> None:
        """Zoom at the cursor, or else at the newest end."""
        self.viewport.zoom(factor)
        self.looked()

    def action_pan(self, share: float) -> None:
        """Move the window by a share of its length."""
        self.viewport.pan(share)
        self._draw()

    def action_edge(self, side: int) -> None:
        """To the first point, or to the newest, where the cursor is dropped."""
        self.viewport.edge(side)
        self._draw()

    def action_fit(self) -> None:
        """All of the run, with automatic limits."""
        self.viewport.window, self.viewport.values = None, None
        self._all()

    def action_mark(self, direction: int) -> None:
        """Put the cursor on the next mark."""
        self.viewport.mark(self.markers, direction)
        self._draw()

    def action_subject(self, by: int) -> None:
        """Go to another metric; the window and the cursor stay."""
        subject = self.catalogue.beyond(self.key, by)
        if subject is not None:
            self._change(subject)

    def action_overlay(self) -> None:
        """Both losses together, or the first of them alone."""
        losses = self.catalogue.find(LOSSES)
        if losses is None or losses.key != LOSSES:
            return
        other = self.catalogue.beyond(LOSSES, 1)
        if self.key != LOSSES or other is None:
            self._change(losses)
        else:
            self._change(other)

    def action_log_y(self) -> None:
        """Switch this chart between a logarithmic and a linear y axis."""
        if (lead := self._lead) is not None:
            self.app.switch_log_y(key_of(lead), [lead], log=not self._options.log_y)

    def action_limits(self) -> None:
        """Begin to type limits."""
        self.wrong = ""
        self.entry.prompt = f"{self.scene.say('limits')}: "
        self.entry.begin()
        self.edges()

    def on_key(self, event: events.Key) -> None:
        if not self.entry.active:
            return
        typed = self.entry.text
        if self.entry.handle(event):
            if event.key == "enter":
                self._limit(typed)
            elif event.key != "escape":
                self.wrong = ""
            self._draw()

    def typed(self) -> None:
        self.edges()

    # ------------------------------------------------------------------------------ mouse

    def may_point(self) -> bool:
        return not self.entry.active

    def looked(self) -> None:
        if self.viewport.window is None:
            self._all()
        else:
            self._draw()

    # ------------------------------------------------------------------------------ moves

    def _all(self) -> None:
        """Show all of the run, although the settings may say its recent part."""
        if self.scene.chart_settings.recent:
            self.app.call_later(self.app.run_action, "chart('recent')")
        self._draw()

    def _change(self, subject: Subject) -> None:
        self.key, self.viewport.values = subject.key, None
        self.viewport.model = self._chart_of(self.scene)
        self._draw()

    def _limit(self, typed: str) -> None:
        options = self._options
        try:
            self.viewport.limit(
                parse_limits(typed, log_y=options.log_y, clock=options.x_axis is XAxis.TIME)
            )
        except LimitsError as error:
            self.wrong = f"{error.what}: {self.scene.say(error.why)}"
            self.entry.begin(typed)
        else:
            self.entry.clear()


def _epochs(run: RunSnapshot, index: int) -> float | None:
    series = run.series[index]
    return steps_per_epoch(run, series) if counts_epochs(run, series) else None
