"""Media card: what stands for a histogram, a PR curve or an image among the charts."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.metrics.media_entries import MEDIA_WORDS, MediaEntry
from lossmon.ui.scene import Scene
from lossmon.ui.text import numbers
from lossmon.ui.text.lines import MUTED, TEXT, Line, fit
from lossmon.ui.widgets.panel import Panel


class MediaCard(Panel):
    """Its kind, and the steps at which it was logged."""

    DEFAULT_CSS = """
    MediaCard {
        height: 1fr; padding: 0 1; border-left: round $frame; border-right: round $frame;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines_of: tuple[Line, ...] = ()

    def show(self, scene: Scene, entry: MediaEntry) -> None:
        """Show what an entry is; of a group, what its first member is."""
        say, records = scene.say, entry.lead.records
        first, last = records[0].step, records[-1].step
        steps = numbers.si(first) if first == last else f"{numbers.si(first)}–{numbers.si(last)}"
        self._lines_of = (
            ((say(MEDIA_WORDS[entry.lead.kind]), TEXT),),
            ((f"{say('step')} {steps} (×{len(records)})", MUTED),),
        )
        self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        return [fit(line, width) for line in self._lines_of]
