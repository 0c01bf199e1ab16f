"""Theme switcher: which themes there are, and which one the screen has."""

from __future__ import annotations

from pathlib import Path

from textual.app import App

from lossmon.errors import ConfigError
from lossmon.ui.terminal import Terminal
from lossmon.ui.theme.theme import (
    DEFAULT_THEME,
    LIGHT_THEME,
    TERMINAL_THEME,
    built_in_directory,
    full_name,
    load_themes,
)


class ThemeSwitcher:
    """Registers themes with an app and switches between them.

    Only the default theme is known before the first frame, unless another one is wanted: the
    others are read from their files when they are first asked for.

    Args:
        app: The app to give themes to.
        terminal: What may be drawn.
        wanted: Name that the settings say, or None.
        kept: Name that the user chose on the screen earlier, or None.
        directory: The user's own directory of themes, or None.

    Attributes:
        errors: What is wrong with themes, one line each.

    Raises:
        ConfigError: No theme has the name in the settings.
    """

    def __init__(
        self,
        app: App[None],
        terminal: Terminal,
        wanted: str | None,
        kept: str | None,
        directory: Path | None,
    ) -> None:
        self._app, self._directory = app, directory
        self._names: list[str] = []
        self._are_all_known = False
        self.errors: tuple[str, ...] = ()
        fitting = LIGHT_THEME if terminal.light else DEFAULT_THEME
        usual = TERMINAL_THEME if terminal.plain else kept or fitting
        self._begin(wanted or usual, wanted=wanted is not None)

    @property
    def names(self) -> list[str]:
        """The names of every theme, in the order they are offered."""
        if not self._are_all_known:
            self._load()
        return self._names

    def switch(self, name: str) -> None:
        """Show the screen in a theme."""
        self._app.theme = name

    def _begin(self, name: str, *, wanted: bool) -> None:
        has_own = self._directory is not None and self._directory.is_dir()
        self._load(only_default=name == DEFAULT_THEME and not has_own)
        try:
            name = full_name(name, self._names)
        except ConfigError as error:
            if wanted:
                raise
            self.errors += (str(error),)
            name = DEFAULT_THEME
        # No watcher yet: it would have the stylesheet parsed twice before the first frame.
        self._app.set_reactive(App.theme, name)
        self._app.stylesheet.set_variables(self._app.get_css_variables())

    def _load(self, *, only_default: bool = False) -> None:
        directories = [built_in_directory()]
        if self._directory is not None:
            directories.append(self._directory)
        themes = load_themes([] if only_default else directories)
        self.errors += themes.failed
        self._names, self._are_all_known = list(themes.loaded), not only_default
        for theme in themes.loaded.values():
            self._app.register_theme(theme)
