"""The themes: each seen on the run itself before it is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from lossmon.ui.scene import Scene
from lossmon.ui.screens.page import Page
from lossmon.ui.text.lines import MUTED, STRONG, TEXT, Line, fit, pointer
from lossmon.ui.widgets.badge import Badge
from lossmon.ui.widgets.losses import Losses
from lossmon.ui.widgets.metrics import Metrics


class ThemesPage(Page):
    """A list of themes beside the run in the theme that is chosen.

    Args:
        names: Themes, in the order they stand.
        chosen: The theme in force.
        wear: Called with a theme to show it.
        keep: Called with the theme that the user took.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "up", id="page.theme_up", show=False, tooltip="Theme above"),
        Binding(
            "down,j,t",
            "choose(1)",
            "down",
            id="page.theme_down",
            show=False,
            tooltip="Theme below",
        ),
        Binding("enter", "take", "take", id="page.theme_take", tooltip="Keep the chosen theme"),
        Binding("escape", "drop", "back", id="page.theme_drop", tooltip="Back to the theme before"),
    ]

    DEFAULT_CSS = """
    ThemesPage #themes { width: 1fr; height: 1fr; }
    ThemesPage #list { width: 26; height: 1fr; }
    ThemesPage #trial { width: 1fr; height: 1fr; }
    ThemesPage.-tiny #themes, ThemesPage.-narrow #themes { layout: vertical; }
    ThemesPage.-tiny #list, ThemesPage.-narrow #list { width: 1fr; height: 45%; }
    ThemesPage.-tiny.-sliver #list, ThemesPage.-narrow.-sliver #list { height: 1fr; }
    ThemesPage.-tiny.-sliver #trial, ThemesPage.-narrow.-sliver #trial { display: none; }
    """

    HINTS = ("page.theme_take", "page.theme_drop")

    title_word = "themes"

    def __init__(
        self,
        names: Sequence[str],
        chosen: str,
        wear: Callable[[str], None],
        keep: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.names, self._before = list(names), chosen
        self.chosen = self.names.index(chosen) if chosen in self.names else 0
        self._wear, self._keep = wear, keep
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
        return max(1, self.body.size.width - 2)

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

    def show_theme(self, index: int) -> None:
        """Choose a theme and put it on."""
        self.chosen = index
        self.body.reveal(index)
        self._wear(self.names[index])
        self.present(self.scene)

    def action_take(self) -> None:
        """Stay with the chosen theme."""
        self._keep(self.names[self.chosen])
        self.action_back()

    def action_drop(self) -> None:
        """Put the theme of before on again."""
        self._wear(self._before)
        self.action_back()

    def on_click(self, event: events.Click) -> None:
        at = self.row_at(event)
        if at is not None:
            self.show_theme(at)
