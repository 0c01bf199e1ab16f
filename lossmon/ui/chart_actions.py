"""How the charts are looked at: the actions that change the look, whatever view is on top."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from lossmon.ui.chart.view_options import SMOOTHINGS, ChartSettings, XAxis
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.view import classes_of
from lossmon.ui.state.preferences import Preferences

if TYPE_CHECKING:
    from textual.app import App
    from textual.geometry import Size

    Base = App[None]
else:
    Base = object


class ChartActions(Base):
    """Part of the app: every action takes one step and shows the scene anew."""

    look: ChartSettings
    config: ScreenConfig
    kept: Preferences
    _arranged_for = ""

    if TYPE_CHECKING:

        def present(self) -> None:
            """Give the view on top the newest scene."""

        @property
        def axes(self) -> Collection[XAxis]:
            """What the view on top can count along the horizontal."""
            raise NotImplementedError

    def arrange(self, size: Size) -> None:
        """Open the panes that the user has open on screens of this size."""
        name = " ".join(classes_of(size))
        if name == self._arranged_for:
            return
        first, self._arranged_for = not self._arranged_for, name
        wanted = self.kept.arrangements.get(name)
        if wanted is not None:
            self.look = wanted.of(self.look)
        elif not first:
            self.look = replace(
                self.look, hidden=self.config.look.hidden, overlaid=self.config.look.overlaid
            )

    def action_log_axis(self) -> None:
        """Logarithmic or linear loss."""
        self._look_at(replace(self.look, log=not self.look.log))

    def action_smooth(self, direction: int) -> None:
        """One step along the ladder of smoothings; 0 for none, and back to the usual."""
        ladder, weight = SMOOTHINGS, self.look.smoothing
        if direction == 0:
            weight = ladder[0] if weight else self.config.look.smoothing or ladder[2]
        elif direction > 0:
            weight = next((rung for rung in ladder if rung > weight), ladder[-1])
        else:
            weight = next((rung for rung in reversed(ladder) if rung < weight), ladder[0])
        self._look_at(replace(self.look, smoothing=weight))

    def action_x_axis(self) -> None:
        """The next axis that the view on top has, and round again."""
        axes = list(XAxis)
        at = axes.index(self.look.x) + 1
        there = self.axes
        wanted = next((x for x in (*axes[at:], *axes[:at]) if x in there), self.look.x)
        self._look_at(replace(self.look, x=wanted))

    def action_outliers(self) -> None:
        """The range ignores outliers, or holds them."""
        self._look_at(replace(self.look, robust=not self.look.robust))

    def action_own_range(self) -> None:
        """Each pane its own range, or one for both."""
        self._look_at(replace(self.look, own=not self.look.own))

    def action_recent(self) -> None:
        """The newest part of the run, or all of it."""
        self._look_at(replace(self.look, recent=not self.look.recent))

    def action_overlay(self) -> None:
        """Train and eval in one pane, or in two where there is room."""
        self._rearrange(replace(self.look, overlaid=not self.look.overlaid))

    def action_pane(self, name: str) -> None:
        """Close a pane, or open it again."""
        self._rearrange(replace(self.look, hidden=self.look.hidden ^ {name}))

    def _rearrange(self, look: ChartSettings) -> None:
        self.kept.keep_arrangement(self._arranged_for, look)
        self._look_at(look)

    def _look_at(self, look: ChartSettings) -> None:
        self.look = look
        self.present()
