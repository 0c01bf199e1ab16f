"""The main charts: a pane each where they fit, one with all losses where they do not."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from lossmon.ui.dashboard.main_panes import (
    CRAMPED,
    PANES,
    PanePlan,
    content_of,
    pane_plans,
    plans_in,
)
from lossmon.ui.scene import Scene
from lossmon.ui.widgets.charts.pane import LossPane


class Losses(Widget):
    """The main charts, side by side, one above the other, or in one pane."""

    DEFAULT_CSS = "Losses { width: 1fr; height: 1fr; layout: vertical; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scene = Scene()
        self.panes = {name: LossPane(id=name) for name in PANES}

    def compose(self) -> ComposeResult:
        yield from self.panes.values()

    def show(self, scene: Scene) -> None:
        """Show the main charts of a scene's run."""
        self.scene = scene
        wanted = pane_plans(scene)
        styled = self.is_mounted
        self.set_class("train" not in wanted, "-without-train", update=styled)
        self.set_class("eval" not in wanted, "-without-eval", update=styled)
        self.set_class("more" in wanted, "-with-more", update=styled)
        self.set_class(self.size.width < CRAMPED, "-cramped")
        visible = self._visible()
        plans = plans_in(scene, [pane.id or "" for pane in visible])
        for pane, plan in zip(visible, plans, strict=True):
            show_plan(pane, scene, plan)

        # A window follows the end of its own curves, and those of an eval end earlier.
        zoomed = [pane for pane in self._visible() if pane.viewport.window is not None]
        if zoomed:
            self._share(max(zoomed, key=lambda pane: pane.viewport.newest))

    def _visible(self) -> list[LossPane]:
        return [pane for pane in self.panes.values() if pane.display]

    @on(LossPane.Looked)
    def share(self, message: LossPane.Looked) -> None:
        """Zoom and pan all panes together."""
        self._share(message.pane)

    def _share(self, source: LossPane) -> None:
        for pane in self._visible():
            pane.look_like(source)

    def on_resize(self) -> None:
        self.show(self.scene)


def show_plan(pane: LossPane, scene: Scene, plan: PanePlan) -> None:
    """Show some series of a scene's run in a pane."""
    pane.show(scene, content_of(scene, plan))
