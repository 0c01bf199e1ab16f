"""Theme switcher: which themes there are, and which one the screen has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import App
from textual.theme import Theme as TextualTheme

from lossmon.errors import ConfigError
from lossmon.ui.terminal import Terminal
from lossmon.ui.theme.theme import (
    DEFAULT_THEME,
    Theme,
    directories_for,
    full_name,
    load_themes,
    usual_theme,
)


class ThemeSwitcher:
    """Registers themes with an app and switches between them.

    Only the default theme is known before the first frame, unless another one is wanted: the
    others are read from their files when they are first asked for.

    Args:
        app: The app to give themes to.
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
        self._begin(wanted or usual_theme(terminal, kept), wanted=wanted is not None)

    @property
    def names(self) -> list[str]:
        """The names of every theme, in the order they are offered."""
        if not self._are_all_known:
            self._load(directories_for("", self._directory))
        return self._names

    def switch(self, name: str) -> None:
        """Show the screen in a theme."""
        self._app.theme = name

    def _begin(self, name: str, *, wanted: bool) -> None:
        self._load(directories_for(name, self._directory))
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

    def _load(self, directories: Sequence[Path]) -> None:
        themes = load_themes(directories)
        self.errors += themes.failed
        self._names, self._are_all_known = list(themes.loaded), bool(directories)
        for theme in themes.loaded.values():
            self._app.register_theme(textual_theme(theme))


def textual_theme(theme: Theme) -> TextualTheme:
    """A theme as Textual takes it: our colours are its variables, and its own derive from them."""
    colors = theme.colors
    return TextualTheme(
        name=theme.name,
        dark=theme.dark,
        ansi=theme.ansi,
        primary=colors["train"],
        secondary=colors["focus"],
        accent=colors["key"],
        success=colors["ok"],
        warning=colors["warning"],
        error=colors["critical"],
        foreground=colors["foreground"],
        background=colors["background"],
        surface=colors["background"],
        panel=colors["background"],
        variables={
            **colors,
            "border-blurred": colors["frame"],
            # Textual's own rules name these two, and a theme of terminal colours must give them.
            "ansi-background": colors["background"],
            "ansi-foreground": colors["foreground"],
        },
    )
