"""Metric pane: one metric or one group as a chart, with its numbers in the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual import events
from textual.message import Message

from lossmon.ui.chart.model import ChartModel, ChartOptions
from lossmon.ui.metrics.entries import MetricEntry
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line
from lossmon.ui.widgets.pane import ChartPane

FRAME_ROOM = 6
"""Cells of an edge that its text does not have."""

PIN = "★"
"""Mark of a pinned metric."""


class MetricPane(ChartPane):
    """A chart in a thin frame.

    Args:
        place: Its place in the grid, from 0.
    """

    class Clicked(Message):
        """The pane at a place was clicked, `times` times in a row."""

        def __init__(self, place: int, times: int) -> None:
            super().__init__()
            self.place, self.times = place, times

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

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
        self.set_class(chosen, "-chosen")
        role = "focus" if chosen else "frame"
        self.chart.show(model, options)
        self.upper.show(title, role)
        self.lower.show([(0, footer)], role)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self.place, event.chain))


def title_of_entry(
    entry: MetricEntry, name: str, last: float, role: str, *, pinned: bool
) -> list[tuple[int, Line]]:
    """Name and newest value; of a group also how many series it has."""
    value_role = TEXT if math.isfinite(last) else "critical"
    head: Line = ((f"{name} ", f"{role}!"), (value_of(last), value_role))
    if pinned:
        head = ((f"{PIN} ", "key"), *head)
    count: Line = ((f"×{len(entry.members)}", MUTED),) if entry.is_group else EMPTY
    return [(0, head), (1, count)]


def value_of(number: float) -> str:
    """A value in few cells."""
    return numbers.value(number, 3)


def range_of(scene: Scene, low: float, high: float) -> Line:
    """Lowest and highest value of a metric, for its lower edge."""
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return EMPTY
    return (
        (f"{scene.say('min')} ", MUTED),
        (value_of(low), MUTED),
        (f"  {scene.say('max')} ", MUTED),
        (value_of(high), MUTED),
    )
