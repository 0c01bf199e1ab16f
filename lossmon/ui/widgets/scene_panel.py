"""A panel that is given scenes."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from lossmon.ui.scene import Scene
from lossmon.ui.widgets.panel import Panel


class ScenePanel(Panel):
    """Shows something of the newest scene."""

    title_word: ClassVar[str] = ""
    """What stands in the upper edge where the panel has one."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.scene = Scene()

    def on_mount(self) -> None:
        if self.title_word:
            self.border_title = Content(self.scene.say(self.title_word))

    def show(self, scene: Scene) -> None:
        """Show a scene; cheap where nothing of it changed."""
        self.scene = scene
        self.redraw()
