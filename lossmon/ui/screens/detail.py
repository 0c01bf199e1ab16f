"""One metric full screen: zoom, pan, a cursor with its numbers, marks with their words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lossmon.types import RunSnapshot
from lossmon.ui.chart import Chart
from lossmon.ui.curves import model_of, options_of, shows_epochs, steps_per_epoch
from lossmon.ui.entry import Entry
from lossmon.ui.limits import EXAMPLE, Limit, LimitsError, parse_limits
from lossmon.ui.lines import EMPTY, MUTED, Line, clean
from lossmon.ui.markers import Marker, jump, markers_of, word_of_value
from lossmon.ui.plot import ChartModel, ChartOptions, Shade
from lossmon.ui.readout import Reading, readout, step_to
from lossmon.ui.scale import Span
from lossmon.ui.scene import Scene
from lossmon.ui.screens.view import View
from lossmon.ui.stretch import following, holding, moved, zoomed
from lossmon.ui.subjects import LOSSES, Catalogue, Subject
from lossmon.ui.widgets.keys import Keys
from lossmon.ui.widgets.losses import titles
from lossmon.ui.widgets.pane import Edge
from lossmon.ui.widgets.readings import Legend, Readings

FAR = 20
"""Points that the cursor goes at once with shift, at least."""

FAR_SHARE = 0.05
"""Share of the window that it goes at least then: twenty of a million points are no distance."""

CLOSEST = 4
"""Points that stay in view however far one zooms in."""


class DetailView(View):
    """The chart of one subject of the run in view.

    Args:
        key: Key of the subject (see `Catalogue`), both losses by default.
        step: Step to put the cursor on, or None.
        remapped: Other keys for actions, by binding id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "back", "back", id="detail.back", tooltip="Back to all panes"),
        Binding("left", "move(-1)", "left", id="detail.left", tooltip="Cursor one point left"),
        Binding("right", "move(1)", "right", id="detail.right", tooltip="Cursor one point right"),
        Binding("shift+left", "far(-1)", "far left", id="detail.far_left",
                tooltip="Cursor far left"),
        Binding("shift+right", "far(1)", "far right", id="detail.far_right",
                tooltip="Cursor far right"),
        Binding("right_square_bracket", "zoom(0.5)", "zoom", id="detail.zoom_in",
                key_display="[ ]", tooltip="Zoom in at the cursor or the newest"),
        Binding("left_square_bracket", "zoom(2.0)", "zoom out", id="detail.zoom_out",
                tooltip="Zoom out"),
        Binding("left_curly_bracket", "pan(-0.5)", "pan", id="detail.pan_left",
                key_display="{ }", tooltip="Half a window to the left"),
        Binding("right_curly_bracket", "pan(0.5)", "pan right", id="detail.pan_right",
                tooltip="Half a window to the right"),
        Binding("home", "edge(-1)", "start", id="detail.start", tooltip="To the start of the run"),
        Binding("end,G", "edge(1)", "newest", id="detail.end", tooltip="To the newest, and follow"),
        Binding("f", "fit", "all", id="detail.fit", tooltip="All of the run, automatic limits"),
        Binding("e", "limits", "limits", id="detail.limits", tooltip="Type limits of the axes"),
        Binding("m", "mark(1)", "mark", id="detail.mark", tooltip="Cursor to the next mark"),
        Binding("M", "mark(-1)", "mark before", id="detail.mark_before",
                tooltip="Cursor to the mark before"),
        Binding("n,down,j", "subject(1)", "next", id="detail.next", tooltip="Next metric"),
        Binding("p,up,k", "subject(-1)", "previous", id="detail.previous",
                tooltip="Previous metric"),
        Binding("v", "overlay", "overlay", id="detail.overlay",
                tooltip="Train and eval together, or one"),
    ]  # fmt: skip

    FOOTER = ("mark", "zoom_in", "pan_left", "next", "limits", "fit", "end", "back")

    title_word = "detail"

    def __init__(
        self,
        key: str = LOSSES,
        step: int | None = None,
        remapped: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._remapped = remapped or {}
        self.key = key
        self.cursor: float | None = None
        self.window: Span | None = None
        self.values: tuple[float, float] | None = None
        """Typed limits of the values."""
        self.entry = Entry("")
        self.wrong = ""
        """What is wrong with the limits that are being typed."""
        self.scene = Scene()
        self.catalogue = Catalogue()
        self.markers: tuple[Marker, ...] = ()
        self.upper = Edge("╭╮", left=True)
        self.chart = Chart()
        self.lower = Edge("╰╯", left=False)
        self.readings = Readings(id="readings")
        self.legend = Legend(id="legend")
        known = {one.id: one for one in self.BINDINGS if isinstance(one, Binding)}
        hints = [self._hint(known[f"detail.{name}"]) for name in self.FOOTER]
        self.keys = Keys(hints, lambda text: self.scene.say(text), id="keys")
        self._model, self._options = ChartModel(), ChartOptions()
        self._asked = step
        self._path: object = None

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.chart
        yield self.lower
        yield self.readings
        yield self.legend
        yield self.keys

    def _hint(self, binding: Binding) -> Binding:
        """A binding of the footer with the key that the user gave it."""
        key = self._remapped.get(binding.id or "")
        return binding if key is None else replace(binding, key=key, key_display=None)

    # ------------------------------------------------------------------------------ scene

    def present(self, scene: Scene) -> None:
        before, self.scene = self.scene, scene
        self.keys.redraw()
        run = scene.run
        if run is None:
            self._model = ChartModel()
            self._draw()
            return
        if run.path != self._path:
            self._path, self.window, self.values, self.cursor = run.path, None, None, None
        self.catalogue.update(run)
        old, self._model = self._model, self._chart_of(scene)
        if before.look.x is not scene.look.x:
            self._translate(old, self._model)
        elif before.look.recent is not scene.look.recent:
            self.window = None
        elif self.window is not None:
            self.window = following(self.window, end_of(old), end_of(self._model))
        if self._asked is not None and self._model.curves:
            self.look_at(self._asked)
            self._asked = None
        self._draw()

    @property
    def subject(self) -> Subject | None:
        """What is looked at, None while there is nothing."""
        return self.catalogue.find(self.key)

    @property
    def step(self) -> int | None:
        """The step at the cursor, else the last in view; None while that is the newest."""
        if self.cursor is None and self._follows():
            return None
        readings = self._readings()
        return readings[0].step if readings else None

    def shown_steps(self, scene: Scene) -> tuple[float, float] | None:
        frame = self.chart.frame
        if frame is None or (self.window is None and not scene.look.recent):
            return None
        ends = (
            readout(self._model, self._options, at, self.chart.traces)
            for at in (frame.x.low, frame.x.high)
        )
        first, last = ends
        return (float(first[0].step), float(last[0].step)) if first and last else None

    def ask(self, step: int | None) -> None:
        """Put the cursor on a step as soon as the view is on top again."""
        self._asked = step

    def look_at(self, step: int) -> None:
        """Put the cursor on a step, and the window round it."""
        place = position_of(self._model, step)
        if place is not None:
            self._put(place)

    def _chart_of(self, scene: Scene) -> ChartModel:
        run, subject = self.catalogue.run, self.subject
        if run is None or subject is None:
            self.markers = ()
            return ChartModel()
        context = () if scene.look.own else subject.beside
        self.markers = markers_of(scene, run, subject.shown)
        model = model_of(run, scene.look, subject.shown, context)
        return replace(model, marks=tuple(marker.mark for marker in self.markers))

    def _translate(self, old: ChartModel, new: ChartModel) -> None:
        """Stay at the same points although the horizontal counts something else."""
        if self.cursor is not None:
            self.cursor = translated(self.cursor, old, new)
        if self.window is not None:
            low, high = (translated(at, old, new) for at in (self.window.low, self.window.high))
            known = low is not None and high is not None and high > low
            self.window = (
                Span(low, high) if known and low is not None and high is not None else None
            )

    # ------------------------------------------------------------------------------- draw

    def _draw(self) -> None:
        scene = self.scene
        values = self.values
        if values is not None and scene.look.log and values[0] <= 0:
            values = None
        self._options = replace(
            options_of(scene),
            x_range=None if self.window is None else (self.window.low, self.window.high),
            y_range=values,
            shade_gap=shade_of(scene),
            points=True,
            cursor=self.cursor,
        )
        self.chart.show(self._model, self._options)
        self.edges()
        readings = self._readings()
        run = self.catalogue.run
        if run is not None and self.subject is not None:
            ratios = [_epochs(run, index) for index in self.subject.shown]
            self.readings.show(scene, self._model, self._options, readings, ratios)
        frame = self.chart.frame
        span = None if frame is None else frame.x
        self.legend.show(scene, self._model.marks, self._options, self.chart.found, span)

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
            told = self.wrong or EXAMPLE
            return [(0, ((clean(told), "warning" if self.wrong else MUTED),))]
        if run is None or subject is None:
            return []
        parts = titles(self.scene, run, subject.shown, self.size.width)
        place = f"{self.catalogue.subjects.index(subject) + 1}/{len(self.catalogue.subjects)}"
        return [*parts, (5, ((place, MUTED),)), (6, ((clean(run.name), MUTED),))]

    def _words(self) -> Line:
        """What happened at the cursor."""
        if self.cursor is None:
            return EMPTY
        reach = self.chart.cell / 2
        words = [one.words for one in self.markers if abs(one.mark.x - self.cursor) <= reach]
        for reading in self._readings():
            word = word_of_value(self.scene, reading.value, self.chart.frame)
            if word and abs(reading.x - self.cursor) <= reach:
                words.insert(0, word)
        return ((", ".join(dict.fromkeys(words)), "key"),) if words else EMPTY

    def _place(self) -> Line:
        if self.window is None:
            return EMPTY
        follows = self._follows()
        return ((self.scene.say("follows" if follows else "stands still"), MUTED),)

    def _follows(self) -> bool:
        return self.window is None or self.window.low <= end_of(self._model) <= self.window.high

    def _readings(self) -> tuple[Reading, ...]:
        frame = self.chart.frame
        at = self.cursor
        if at is None:
            at = math.inf if frame is None or self._follows() else frame.x.high
        return readout(self._model, self._options, at, self.chart.traces)

    # ------------------------------------------------------------------------------- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # While limits are typed, letters are letters.
        return not self.entry.active or action in ("quit", "help_quit")

    def action_back(self) -> None:
        """Back to where it was opened."""
        self.app.pop_screen()

    def action_move(self, points: int) -> None:
        """Move the cursor along the curve; the first key puts it on the newest point in view."""
        start, by = (self._newest(), 0) if self.cursor is None else (self.cursor, points)
        place = step_to(self._model, start, by, self.chart.traces)
        if math.isfinite(place):
            self._put(place)

    def action_far(self, direction: int) -> None:
        """Move the cursor by many points."""
        frame = self.chart.frame
        if self.cursor is None or frame is None:
            self.action_move(direction)
            return
        near = step_to(self._model, self.cursor, direction * FAR, self.chart.traces)
        far = step_to(
            self._model,
            self.cursor + direction * FAR_SHARE * frame.x.length,
            0,
            self.chart.traces,
        )
        self._put(max(near, far) if direction > 0 else min(near, far))

    def action_zoom(self, factor: float) -> None:
        """Zoom at the cursor, or else at the newest end."""
        self._zoom(factor, self._newest() if self.cursor is None else self.cursor)

    def action_pan(self, share: float) -> None:
        """Move the window by a share of its length."""
        frame, whole = self.chart.frame, self.chart.whole
        if frame is not None and whole is not None and frame.x != whole:
            self._show(moved(frame.x, whole, share))

    def action_edge(self, side: int) -> None:
        """To the first point, or to the newest, where the cursor is dropped."""
        frame, whole = self.chart.frame, self.chart.whole
        if frame is None or whole is None:
            return
        if side > 0:
            self.cursor = None
        else:
            self.cursor = step_to(self._model, -math.inf, 0, self.chart.traces)
        if frame.x.low > whole.low or frame.x.high < whole.high or self.window is not None:
            length = frame.x.length
            low = whole.low if side < 0 else max(whole.low, whole.high - length)
            self.window = Span(low, low + length)
        self._draw()

    def action_fit(self) -> None:
        """All of the run, with automatic limits."""
        self.window, self.values = None, None
        if self.scene.look.recent:
            self.app.call_later(self.app.run_action, "recent")
        self._draw()

    def action_mark(self, direction: int) -> None:
        """Put the cursor on the next mark."""
        frame = self.chart.frame
        start = self.cursor
        if start is None:
            start = math.inf if direction < 0 else -math.inf if frame is None else frame.x.low
            start = math.nextafter(start, -math.inf) if direction > 0 else start
        place = jump(self.markers, self._model.curves, frame, start, direction)
        if place is not None:
            self._put(place)

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
        if self.entry.take(event):
            if event.key == "enter":
                self._limit(typed)
            elif event.key != "escape":
                self.wrong = ""
            self._draw()

    def on_paste(self, event: events.Paste) -> None:
        if self.entry.active:
            event.stop()
            self.entry.paste(event.text)
            self.edges()

    # ------------------------------------------------------------------------------ mouse

    def on_click(self, event: events.Click) -> None:
        place = self._pointed(event)
        if place is not None and not self.entry.active:
            self._put(step_to(self._model, place, 0, self.chart.traces))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 0.8)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1.25)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        place = self._pointed(event)
        if place is not None:
            self._zoom(factor, place)

    def _pointed(self, event: events.MouseEvent) -> float | None:
        around = self.chart.content_region
        if not around.contains(event.screen_x, event.screen_y):
            return None
        return self.chart.position_at(event.screen_x - around.x)

    # ------------------------------------------------------------------------------ moves

    def _newest(self) -> float:
        """The newest position, or the right edge where that is out of view."""
        frame = self.chart.frame
        return end_of(self._model) if frame is None or self._follows() else frame.x.high

    def _put(self, place: float) -> None:
        """Put the cursor on a place and have it in view."""
        frame, whole = self.chart.frame, self.chart.whole
        self.cursor = place
        if frame is not None and whole is not None:
            kept = holding(frame.x, whole, place)
            if kept != frame.x:
                self.window = kept
        self._draw()

    def _zoom(self, factor: float, anchor: float) -> None:
        frame, whole = self.chart.frame, self.chart.whole
        if frame is None or whole is None:
            return
        self._show(zoomed(frame.x, whole, factor, anchor, self._least(anchor, whole)))

    def _least(self, anchor: float, whole: Span) -> float:
        """Length of a window that still holds some points round a place."""
        here, left, right = (
            step_to(self._model, anchor, by, self.chart.traces)
            for by in (0, -CLOSEST // 2, CLOSEST // 2)
        )
        return max(2 * (right - here), 2 * (here - left), whole.length * 1e-9)

    def _show(self, window: Span | None) -> None:
        self.window = window
        if window is None and self.scene.look.recent:
            self.app.call_later(self.app.run_action, "recent")
        self._draw()

    def _change(self, subject: Subject) -> None:
        self.key, self.values = subject.key, None
        self._model = self._chart_of(self.scene)
        self._draw()

    def _limit(self, typed: str) -> None:
        look = self.scene.look
        try:
            limits = parse_limits(typed, log_y=look.log, clock=look.x.value == "time")
            ranges = [(limit, self._range(limit)) for limit in limits]
        except LimitsError as error:
            self.wrong = f"{error.what}: {self.scene.say(error.why)}"
            self.entry.begin(typed)
            return
        self.entry.clear()
        for limit, span in ranges:
            if limit.axis == "y":
                self.values = None if span is None else (span.low, span.high)
            else:
                self.window = span

    def _range(self, limit: Limit) -> Span | None:
        """The range that a limit asks for; an end that it leaves open is the one in view."""
        if limit.automatic:
            return None
        frame = self.chart.frame
        shown = Span(0.0, 1.0)
        if frame is not None:
            shown = frame.x if limit.axis == "x" else frame.y
            if limit.axis == "y" and frame.log:
                shown = Span(10.0**shown.low, 10.0**shown.high)
        low = shown.low if limit.low is None else limit.low
        high = shown.high if limit.high is None else limit.high
        if not low < high:
            raise LimitsError(f"{low:g}..{high:g}", "nothing is in between")
        return Span(low, high)


def shade_of(scene: Scene) -> Shade:
    """How the gap is filled: in ASCII any filling would look like points."""
    if not scene.terminal.unicode:
        return "none"
    return "texture" if scene.terminal.plain else "tint"


def end_of(model: ChartModel) -> float:
    """The newest shown position of a model, minus infinity without points."""
    ends = [
        (float(curve.x[-1]) - curve.origin) / (curve.unit or 1.0)
        for curve in model.curves
        if len(curve)
    ]
    return max((end for end in ends if math.isfinite(end)), default=-math.inf)


def position_of(model: ChartModel, step: int) -> float | None:
    """Where the point nearest to a step stands, in shown units; None without points."""
    found: list[tuple[float, float]] = []
    for curve in model.curves:
        if len(curve):
            steps = curve.x if curve.steps is None else curve.steps
            at = min(int(steps.searchsorted(step)), len(curve) - 1)
            if at and abs(int(steps[at - 1]) - step) <= abs(int(steps[at]) - step):
                at -= 1
            place = (float(curve.x[at]) - curve.origin) / (curve.unit or 1.0)
            found.append((abs(float(steps[at]) - step), place))
    return min(found)[1] if found else None


def translated(place: float, old: ChartModel, new: ChartModel) -> float | None:
    """Where the point at a place of one model stands in another model of the same series."""
    readings = readout(old, ChartOptions(smoothing=0.0), place)
    return position_of(new, readings[0].step) if readings else None


def _epochs(run: RunSnapshot, index: int) -> float | None:
    series = run.series[index]
    return steps_per_epoch(run, series) if shows_epochs(run, series) else None
