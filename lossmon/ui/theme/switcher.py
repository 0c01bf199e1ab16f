"""The themes of the screen: which there are, and which one it wears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from lossmon.ui.scene import ScreenConfig
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.terminal import Terminal
from lossmon.ui.theme.theme import (
    DEFAULT_THEME,
    FAMILY,
    LIGHT_THEME,
    TERMINAL_THEME,
    built_in_directory,
    load_themes,
)

if TYPE_CHECKING:
    Base = App[None]
else:
    Base = object


class ThemeSwitcher(Base):
    """Part of the app: the first frame has one theme, the others come when there is time."""

    config: ScreenConfig
    kept: Preferences
    terminal: Terminal
    _themes: list[str]
    _themes_are_whole: bool
    _troubles: tuple[str, ...]

    def all_themes(self) -> list[str]:
        """The names of every theme, in the order they are offered."""
        if not self._themes_are_whole:
            self._load_themes()
        return self._themes

    def wear(self, theme: str) -> None:
        """Show the screen in a theme."""
        self.theme = theme

    def begin_theme(self) -> None:
        """Wear the theme that the user set or took, or the one that fits the terminal."""
        fitting = LIGHT_THEME if self.terminal.light else DEFAULT_THEME
        usual = TERMINAL_THEME if self.terminal.plain else self.kept.theme or fitting
        name = self.config.theme or usual
        own = self.config.themes is not None and self.config.themes.is_dir()
        self._load_themes(all_of_them=own or name != DEFAULT_THEME)
        if f"{FAMILY}{name}" in self._themes:
            name = f"{FAMILY}{name}"
        if name not in self._themes:
            self._troubles += (f"theme {name}: there is none; there are {', '.join(self._themes)}",)
            name = DEFAULT_THEME
        # No watcher yet: it would have the stylesheet parsed twice before the first frame.
        self.set_reactive(App.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())

    def _load_themes(self, *, all_of_them: bool = True) -> None:
        """Take in every theme, or the one that is written in the code itself."""
        user = (self.config.themes,) if self.config.themes else ()
        themes = load_themes([built_in_directory(), *user] if all_of_them else ())
        self._troubles += themes.failed
        self._themes = list(themes.loaded)
        self._themes_are_whole = all_of_them
        for theme in themes.loaded.values():
            self.register_theme(theme)
