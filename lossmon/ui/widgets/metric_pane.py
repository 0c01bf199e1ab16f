"""Metric pane: one metric or one group as a chart, with its numbers in the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual import events
from textual.message import Message

from lossmon.types import ClassifierCurve, Histogram
from lossmon.ui.chart.curve_cache import Trace
from lossmon.ui.chart.model import ChartModel, ChartOptions, XAxis
from lossmon.ui.chart.readout import readout
from lossmon.ui.dashboard.chart_titles import options_of
from lossmon.ui.media.heat import area_word, curve_model, summary, unit_square
from lossmon.ui.metrics.entries import MEDIA_WORDS, MediaEntry, MetricEntry
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line
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
        """The pane was clicked, `times` times in a row, at a position of its chart or beside it."""

        def __init__(self, pane: MetricPane, times: int, position: float | None) -> None:
            super().__init__()
            self.pane, self.times, self.position = pane, times, position

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place
        self._card: MediaCard | None = None
        """Made when it is first needed: most panes only ever show charts."""

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
        if options.cursor is not None:
            footer = cursor_line(model, options, self.chart.traces) or footer
        self._frame(title, [(0, footer)], chosen=chosen)

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
        around, position = self.chart.content_region, None
        if around.contains(event.screen_x, event.screen_y):
            position = self.chart.position_at(event.screen_x - around.x)
        self.post_message(self.Clicked(self, event.chain, position))


def cursor_line(model: ChartModel, options: ChartOptions, traces: Sequence[Trace]) -> Line:
    """Where the cursor stands and what each curve is there, for the lower edge."""
    found = readout(model, options.cursor or 0.0, traces)
    if not found:
        return EMPTY
    first = found[0]
    is_time = options.x_axis is XAxis.TIME
    place = numbers.duration(first.x) if is_time else f"@{numbers.si(first.step)}"
    values = "  ".join(value_of(one.value) for one in found)
    return ((f"{place} ", MUTED), (values, TEXT))


def title_of_entry(
    entry: MetricEntry, name: str, last: float, role: str, *, pinned: bool
) -> list[tuple[int, Line]]:
    """Name and newest value; of a group also how many series it has."""
    value_role = TEXT if math.isfinite(last) else "critical"
    head: Line = ((f"{name} ", f"{role}!"), (value_of(last), value_role))
    if pinned:
        head = ((f"{PIN} ", "key"), *head)
    return [(0, head), (1, count_of(entry))]


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
