"""The main charts: a pane each where they fit, one with all losses where they do not."""

from __future__ import annotations

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
        visible = [name for name in PANES if self.panes[name].display]
        for name, plan in zip(visible, plans_in(scene, visible), strict=True):
            show_plan(self.panes[name], scene, plan)

    def on_resize(self) -> None:
        self.show(self.scene)


def show_plan(pane: LossPane, scene: Scene, plan: PanePlan) -> None:
    """Show some series of a scene's run in a pane."""
    pane.show(scene, content_of(scene, plan))
