"""Configuration panel: the hyperparameters of the run in view that matter most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from lossmon.analysis.run_settings import headline_settings
from lossmon.ui.scene import Scene
from lossmon.ui.text.lines import MUTED, TEXT, Line, clean, clip
from lossmon.ui.widgets.panel import ScenePanel


class Configuration(ScenePanel, can_focus=True):
    """A setting per line."""

    title_word = "configuration"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[tuple[str, str]] = []
        self._settings: Mapping[str, str] | None = None

    def show(self, scene: Scene) -> None:
        """Show the settings of a scene's run."""
        self.scene = scene
        settings = scene.run.settings if scene.run is not None else {}
        if settings is not self._settings:
            self._settings = settings
            self.rows = headline_settings(settings)
        self.set_class(not self.rows, "-empty", update=self.is_mounted)
        self.redraw()

    def wanted_height(self, width: int) -> int:
        return max(1, len(self.rows))

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        words = [self.scene.say(word) for word, _ in self.rows]
        column = max(map(cell_len, words), default=0) + 2
        rows = zip(words[:height], self.rows, strict=False)
        return [_row(word, clean(value), column, width - 1) for word, (_, value) in rows]


def _row(word: str, value: str, column: int, room: int) -> Line:
    """A word and its value in a column; a long value begins further left, or is cut."""
    free = room - cell_len(word)
    gap = max(1, min(column - cell_len(word), free - cell_len(value)))
    return ((f" {word}{' ' * gap}", MUTED), (clip(value, max(1, free - gap)), TEXT))
