"""Histograms view: how the values under a tag are spread, over steps."""

from __future__ import annotations

from typing import ClassVar

from textual import events, getters
from textual.binding import Binding, BindingType

from lossmon.types import Histogram, MediaKind
from lossmon.ui.media.heat import BANDS, summary
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.media.base import MediaScreen
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import EMPTY, MUTED, TEXT, Line
from lossmon.ui.widgets.media.heat_map import HeatMap


class HistogramsScreen(MediaScreen):
    """A heat map per tag: columns are steps, rows are bins of value, colour is the share, or the
    band of percentiles."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "bands", "bands", id="histograms.bands",
                tooltip="Bands of percentiles / heat map"),
    ]  # fmt: skip

    app = getters.app(ViewHost)

    kind = MediaKind.HISTOGRAM
    missing = "this run logs no histograms"

    view: HeatMap

    def make_view(self) -> HeatMap:
        return HeatMap()

    def draw(self) -> None:
        records = self.series.records if self.series is not None else ()
        found = [self.contents.get(one) for one in records]
        self.view.show(
            [one.step for one in records],
            [one if isinstance(one, Histogram) else None for one in found],
            self.scene.terminal,
            None if self.chosen_step is None else self.place,
            draws_bands=self.app.metric_choices.bands,
        )

    def action_bands(self) -> None:
        """Switch between bands of percentiles and the heat map."""
        self.app.metric_choices.bands = not self.app.metric_choices.bands
        self.show()

    def facts(self) -> list[tuple[int, Line]]:
        content = self.content
        if not isinstance(content, Histogram):
            return []
        stats, say = summary(content), self.scene.say
        named = (
            (1, "median", numbers.value(stats.median, 3)),
            (2, "min", numbers.value(stats.low, 3)),
            (3, "max", numbers.value(stats.high, 3)),
            (4, "values", numbers.si(stats.total)),
        )
        return [(rank, ((f"{say(word)} ", MUTED), (number, TEXT))) for rank, word, number in named]

    def mode(self) -> Line:
        if not self.app.metric_choices.bands:
            return EMPTY
        edges = " ".join(f"{100 * begin:g}–{100 - 100 * begin:g}" for begin, _ in BANDS[1:-1])
        return ((f"{self.scene.say('bands')} {edges} %", MUTED),)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self.view)
        at = None if place is None else self.view.step_at(place.x)
        if at is None:
            super().on_click(event)
        else:
            self.action_step(at - self.place)
