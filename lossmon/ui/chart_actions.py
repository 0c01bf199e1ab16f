"""Chart actions: the chart settings in force, and the keys that change them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from lossmon.ui.chart.model import SMOOTHINGS, ChartSettings, Guides, XAxis
from lossmon.ui.state.preferences import PaneLayout, Preferences


class ChartActions:
    """Holds the chart settings; each action changes them by one step.

    Args:
        initial: Settings that the screen begins with.
        preferences: Where open panes are kept per size of the screen.

    Attributes:
        settings: The settings in force.
    """

    def __init__(self, initial: ChartSettings, preferences: Preferences) -> None:
        self.settings = initial
        self._initial, self._preferences = initial, preferences
        self._size = ""

    def arrange(self, size: str) -> bool:
        """Open the panes that the user has open on screens of a size.

        Args:
            size: Name of the size, as the preferences have it.

        Returns:
            Whether that changed the settings.
        """
        if size == self._size:
            return False
        before, is_first = self.settings, not self._size
        self._size = size
        panes = self._preferences.pane_layouts.get(size)
        if panes is None and not is_first:
            panes = PaneLayout(self._initial.hidden, self._initial.overlaid)
        if panes is not None:
            self._change(hidden=panes.hidden, overlaid=panes.overlaid, sizes=panes.sizes)
        return self.settings is not before

    def log_axis(self, keys: Sequence[str] = ()) -> None:
        """Switch between a logarithmic and a linear loss axis.

        Args:
            keys: Keys of the main charts: all are as the first one is not yet.
        """
        chosen = self.settings.log_charts
        log = not (chosen.get(keys[0], self.settings.log) if keys else self.settings.log)
        self._change(log=log, log_charts={**chosen, **dict.fromkeys(keys, log)})

    def log_chart(self, key: str, log: bool) -> None:
        """Give one chart a logarithmic or a linear y axis."""
        self._change(log_charts={**self.settings.log_charts, key: log})

    def log_positions(self) -> None:
        """Switch between a logarithmic and a linear horizontal."""
        self._change(log_x=not self.settings.log_x)

    def smooth(self, direction: int) -> None:
        """Go one step along the smoothings; 0 switches smoothing off and on again."""
        steps, weight = SMOOTHINGS, self.settings.smoothing
        if direction == 0:
            weight = steps[0] if weight else self._initial.smoothing or steps[2]
        elif direction > 0:
            weight = next((step for step in steps if step > weight), steps[-1])
        else:
            weight = next((step for step in reversed(steps) if step < weight), steps[0])
        self._change(smoothing=weight)

    def x_axis(self, available: Collection[XAxis]) -> None:
        """Switch to the next axis among those that the view on top has."""
        axes = list(XAxis)
        at = axes.index(self.settings.x) + 1
        ahead = (*axes[at:], *axes[:at])
        self._change(x=next((x for x in ahead if x in available), self.settings.x))

    def outliers(self) -> None:
        """Hide outliers, or include them in the range."""
        self._change(robust=not self.settings.robust)

    def set(self, field: str, value: object) -> None:
        """Set one of the chart settings."""
        self._change(**{field: value})

    def guides(self) -> None:
        """Go to the next kind of lines behind the curves."""
        kinds = list(Guides)
        self._change(guides=kinds[(kinds.index(self.settings.guides) + 1) % len(kinds)])

    def own_range(self) -> None:
        """Switch between a range per pane and one for both."""
        self._change(own=not self.settings.own)

    def recent(self) -> None:
        """Switch between the newest part of the run and all of it."""
        self._change(recent=not self.settings.recent)

    def overlay(self) -> None:
        """Switch between train and eval in one pane and, where there is room, in two."""
        self._change(overlaid=not self.settings.overlaid)
        self.keep_panes()

    def pane(self, name: str) -> None:
        """Close a pane, or open it again."""
        self._change(hidden=self.settings.hidden ^ {name})
        self.keep_panes()

    def all_panes(self) -> None:
        """Open every pane that the user closed, each with its usual size."""
        self._change(hidden=frozenset(), sizes={})
        self.keep_panes()

    def resize(self, pane: str, size: int, *, keep: bool = True) -> None:
        """Give a pane a size; one that is still dragged is not kept yet."""
        self._change(sizes={**self.settings.sizes, pane: size})
        if keep:
            self.keep_panes()

    def _change(self, **changes: object) -> None:
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]

    def keep_panes(self) -> None:
        """Keep which panes are open, and their sizes, for screens of this size."""
        settings = self.settings
        panes = PaneLayout(settings.hidden, settings.overlaid, settings.sizes)
        self._preferences.keep_panes(self._size, panes)
