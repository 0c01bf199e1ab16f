"""Themes view: each theme is seen on the run itself before it is applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from lossmon.ui.scene import Scene
from lossmon.ui.screens.base.host import ViewHost
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.text.lines import MUTED, STRONG, TEXT, Line, fit, pointer
from lossmon.ui.theme.switcher import ThemeSwitcher
from lossmon.ui.widgets.charts.pane import Losses
from lossmon.ui.widgets.metrics import Metrics
from lossmon.ui.widgets.verdicts import Badge

LIST_WIDTH = 28
"""Cells within the frame of the list of themes, where it stands beside the charts."""


class ThemesScreen(PageScreen):
    """A list of themes beside the run in the theme that is chosen.

    Args:
        themes: Names of the themes; switches between them.
        current: Name of the theme in force.
        preferences: Where the theme is kept for the next start.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up,k", "choose(-1)", "up", id="page.theme_up", show=False, tooltip="Previous theme"
        ),
        Binding(
            "down,j,t",
            "choose(1)",
            "down",
            id="page.theme_down",
            show=False,
            tooltip="Next theme",
        ),
        Binding("enter", "apply", "apply", id="page.theme_apply", tooltip="Apply this theme"),
        Binding("escape", "cancel", "cancel", id="page.theme_cancel", tooltip="Cancel"),
    ]

    DEFAULT_CSS = """
    ThemesScreen #themes { width: 1fr; height: 1fr; }
    ThemesScreen #list { width: 30; height: 1fr; }
    ThemesScreen #trial { width: 1fr; height: 1fr; }
    ThemesScreen.-tiny #themes, ThemesScreen.-narrow #themes { layout: vertical; }
    ThemesScreen.-tiny #list, ThemesScreen.-narrow #list { width: 1fr; height: 45%; }
    ThemesScreen.-tiny.-sliver #list, ThemesScreen.-narrow.-sliver #list { height: 1fr; }
    ThemesScreen.-tiny.-sliver #trial, ThemesScreen.-narrow.-sliver #trial { display: none; }
    """

    HINTS = ("page.theme_apply", "page.theme_cancel")

    @classmethod
    def create(cls, app: ViewHost) -> Self | None:
        return cls(app.themes, app.theme, app.preferences)

    def __init__(self, themes: ThemeSwitcher, current: str, preferences: Preferences) -> None:
        super().__init__()
        self.names, self._before = themes.names, current
        self.chosen = self.names.index(current) if current in self.names else 0
        self._themes, self._preferences = themes, preferences
        self.parts = (Badge(id="badge"), Losses(id="losses"), Metrics(id="metrics"))

    def compose(self) -> ComposeResult:
        with Horizontal(id="themes"):
            with Vertical(id="list"):
                yield from super().compose()
            with Vertical(id="trial"):
                yield from self.parts

    def heading(self) -> Line:
        return ((str(len(self.names)), MUTED),)

    @property
    def room(self) -> int:
        # Before the first layout the list is as wide as its style says.
        return max(1, (self.body.size.width or LIST_WIDTH) - 2)

    def present(self, scene: Scene) -> None:
        super().present(scene)
        for part in self.parts:
            part.show(scene)

    def lines(self, room: int) -> Sequence[Line]:
        return [
            fit(
                (
                    pointer(chosen=at == self.chosen),
                    (name, STRONG if at == self.chosen else TEXT),
                ),
                room,
            )
            for at, name in enumerate(self.names)
        ]

    def action_choose(self, rows: int) -> None:
        """Show the next theme, round the ends."""
        self.show_theme((self.chosen + rows) % len(self.names))

    def action_page(self, pages: int) -> None:
        """Show the theme a screenful away."""
        at = self.chosen + pages * max(1, self.body.rows - 1)
        self.show_theme(max(0, min(at, len(self.names) - 1)))

    def action_edge(self, side: int) -> None:
        """Show the first or the last theme."""
        self.show_theme(0 if side < 0 else len(self.names) - 1)

    def show_theme(self, index: int) -> None:
        """Choose a theme and show the screen in it."""
        self.chosen = index
        self.body.reveal(index)
        self._themes.switch(self.names[index])
        self.present(self.scene)

    def action_apply(self) -> None:
        """Keep the chosen theme."""
        self._preferences.keep_theme(self.names[self.chosen])
        self.action_back()

    def action_cancel(self) -> None:
        """Go back to the previous theme."""
        self._themes.switch(self._before)
        self.action_back()

    def on_click(self, event: events.Click) -> None:
        at = self.row_at(event)
        if at is not None:
            self.show_theme(at)
            if event.chain > 1:
                self.action_apply()

    def wheel(self, event: events.MouseEvent, way: int) -> None:
        self.show_theme(max(0, min(self.chosen + way, len(self.names) - 1)))
