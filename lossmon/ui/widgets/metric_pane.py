"""Metric pane: one metric or one group as a chart, with its numbers in the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual import events
from textual.message import Message

from lossmon.types import ClassifierCurve, Histogram
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel, ChartOptions, Curve, XAxis
from lossmon.ui.chart.painter import SERIES_ROLES
from lossmon.ui.chart.readout import Reading, readout
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.media.heat import area_word, curve_model, summary, unit_square
from lossmon.ui.metrics.charts import EntryChart
from lossmon.ui.metrics.entries import MEDIA_WORDS, MediaEntry, MetricEntry
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MISSING, MUTED, TEXT, Line
from lossmon.ui.widgets.charts.pane import ChartPane
from lossmon.ui.widgets.media.card import MediaCard, Shown

FRAME_ROOM = 6
"""Cells of an edge that its text does not have."""

PIN = "★"
"""Mark of a pinned metric."""


class MetricPane(ChartPane):
    """A chart in a thin frame.

    Args:
        place: Its place in the grid, from 0.
    """

    DEFAULT_CSS = """
    MetricPane.-chosen MediaCard { border-left: round $focus; border-right: round $focus; }
    MetricPane MediaCard, MetricPane.-media Chart { display: none; }
    MetricPane.-media MediaCard { display: block; }
    """

    class Clicked(Message):
        """The pane was clicked at a position of its chart or beside it, `times` times in a row; 0
        while the mouse is dragged over it."""

        def __init__(self, pane: MetricPane, times: int, position: float | None) -> None:
            super().__init__()
            self.pane, self.times, self.position = pane, times, position

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place
        self._card: MediaCard | None = None
        """Made when it is first needed: most panes only ever show charts."""

    def announce(self, name: str) -> None:
        """Show the frame of a chart that follows."""
        self._frame([(0, ((name, "foreground!"),))], [], chosen=False)

    def show(
        self,
        model: ChartModel,
        options: ChartOptions,
        title: Sequence[tuple[int, Line]],
        footer: Line,
        *,
        chosen: bool,
    ) -> None:
        """Show a chart with a title and a footer."""
        self.remove_class("-media")
        self.chart.show(model, options)
        self._frame(title, self._values() or [(0, footer)], chosen=chosen)

    def show_media(
        self, scene: Scene, entry: MediaEntry, shown: Shown, name: str, *, chosen: bool
    ) -> None:
        """Show the newest record of a histogram, a curve or an image."""
        self.set_class(not isinstance(shown, ClassifierCurve), "-media")
        if isinstance(shown, ClassifierCurve):
            self.chart.show(curve_model(shown), unit_square(options_of(scene)))
        else:
            self._show_card(scene, shown)
        title = [(0, ((name, "foreground!"),)), (1, count_of(entry))]
        word: Line = ((scene.say(MEDIA_WORDS[entry.lead.kind]), MUTED),)
        footer = [(0, word), (1, values_of(scene, shown)), (2, steps_of(scene, entry))]
        self._frame(title, footer, chosen=chosen)

    def _show_card(self, scene: Scene, shown: Shown) -> None:
        if self._card is None:
            if not self.is_attached:
                return
            self._card = MediaCard()
            self.mount(self._card, after=self.chart)
        self._card.show(scene, shown)

    def _frame(
        self, title: Sequence[tuple[int, Line]], footer: Sequence[tuple[int, Line]], *, chosen: bool
    ) -> None:
        self.set_class(chosen, "-chosen")
        role = "focus" if chosen else "frame"
        self.upper.show(title, role)
        self.lower.show(footer, role)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self, event.chain, self.position(event)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        position = self.position(event) if event.button else None
        if position is not None:
            self.post_message(self.Clicked(self, 0, position))

    def position(self, event: events.MouseEvent) -> float | None:
        """The position of the chart under the mouse; None beside the curves."""
        around = self.chart.content_region
        if not around.contains(event.screen_x, event.screen_y):
            return None
        return self.chart.position_at(event.screen_x - around.x)

    # ------------------------------------------------------------------------------ values

    def readings(self) -> list[Reading]:
        """What each curve is at the cursor, or at its end where there is no cursor.

        A run that a letter tells from others has no value where it has not been.
        """
        chart, at = self.chart, self.chart.options.cursor
        found = readout(chart.model, math.inf if at is None else at, chart.traces)
        if at is None or len(chart.traces) != len(chart.model.curves):
            return list(found)
        return [
            one
            for one in found
            if not chart.model.curves[one.curve].letter
            or self._reaches(chart.traces[one.curve], at)
        ]

    def _reaches(self, trace: Trace, at: float) -> bool:
        # Of a sparse curve the next point is not due yet.
        due = max(self.chart.cell, trace.last - trace.position(max(0, len(trace) - 2)))
        return trace.first - self.chart.cell <= at <= trace.last + due

    def _values(self) -> list[tuple[int, Line]]:
        """Where the cursor stands and what each curve is there, for the lower edge; without a
        cursor the newest values of several runs."""
        chart, found = self.chart, self.readings()
        options, curves = chart.options, chart.model.curves
        lettered = any(curve.letter for curve in curves)
        if options.cursor is None and not lettered:
            return []
        if not found:
            return [(0, MISSING)] if lettered else []
        parts: list[tuple[int, Line]] = []
        if options.cursor is not None:
            place = place_of(found[0], options, log_x=chart.model.log_x)
            parts.append((0, ((place, MUTED),)))
        found.sort(key=lambda one: curves[one.curve].letter)
        return [*parts, *((1 + one.curve, _value_line(one, curves[one.curve])) for one in found)]


def _value_line(reading: Reading, curve: Curve) -> Line:
    role = TEXT if math.isfinite(reading.value) else "critical"
    value = (value_of(reading.value), role)
    if not curve.letter:
        return (value,)
    return ((f"{curve.letter} ", f"{SERIES_ROLES[curve.style]}!"), value)


def place_of(reading: Reading, options: ChartOptions, *, log_x: bool) -> str:
    """Where a reading stands: `@1.24k`, `2h 10m`."""
    if options.x_axis is not XAxis.TIME:
        return f"@{numbers.si(reading.step)}"
    return numbers.duration(10.0**reading.x if log_x else reading.x)


def title_of_entry(
    entry: MetricEntry, name: str, chart: EntryChart, *, pinned: bool
) -> list[tuple[int, Line]]:
    """Name and newest value; of a group also how many series it has."""
    head: Line = ((name, f"{SERIES_ROLES.get(chart.style, chart.style)}!"),)
    if chart.last is not None:
        role = TEXT if math.isfinite(chart.last) else "critical"
        head = (*head, (f" {value_of(chart.last)}", role))
    if pinned:
        head = ((f"{PIN} ", "key"), *head)
    note: Line = ((chart.note, MUTED),) if chart.note else EMPTY
    return [(0, head), (1, count_of(entry)), (2, note)]


def count_of(entry: MetricEntry | MediaEntry) -> Line:
    """How many series a group has."""
    return ((f"×{len(entry.members)}", MUTED),) if entry.is_group else EMPTY


def steps_of(scene: Scene, entry: MediaEntry) -> Line:
    """The steps at which an entry was logged."""
    records = entry.lead.records
    first, last = numbers.si(records[0].step), numbers.si(records[-1].step)
    steps = first if len(records) == 1 else f"{first}–{last}"
    return ((f"{scene.say('step')} {steps}", MUTED),)


def values_of(scene: Scene, shown: Shown) -> Line:
    """Smallest and largest value of a histogram, area under a curve."""
    if isinstance(shown, ClassifierCurve):
        return ((f"{scene.say(area_word(shown))} {shown.area:.3f}", MUTED),)
    if isinstance(shown, Histogram):
        totals = summary(shown)
        return range_of(scene, totals.low, totals.high)
    return EMPTY


def value_of(number: float) -> str:
    """A value in few cells."""
    return numbers.value(number, 3)


def range_of(scene: Scene, low: float, high: float) -> Line:
    """Lowest and highest value of a metric, for its lower edge."""
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return EMPTY
    # Two values that differ have different digits.
    digits = next((n for n in range(3, 8) if numbers.value(low, n) != numbers.value(high, n)), 3)
    return (
        (f"{scene.say('min')} ", MUTED),
        (numbers.value(low, digits), MUTED),
        (f"  {scene.say('max')} ", MUTED),
        (numbers.value(high, digits), MUTED),
    )
