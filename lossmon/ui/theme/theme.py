"""Themes: read from TOML files. A broken file is named and skipped."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from lossmon.errors import ConfigError, ThemeError, did_you_mean
from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.toml import TomlError, read_toml
from lossmon.ui.terminal import Terminal

DARK: Mapping[str, str] = {
    "background": "#10151b",
    "foreground": "#d3dae2",
    "muted": "#8a97a5",
    "frame": "#313c47",
    "focus": "#6f8fae",
    "key": "#9cc4ea",
    "train": "#58b0f5",
    "eval": "#f49d5c",
    "train-raw": "#2c5577",
    "eval-raw": "#7a4f31",
    "axis": "#7c8a98",
    "mark": "#e8edf2",
    "ok": "#6fc287",
    "notice": "#7fd0d8",
    "warning": "#efc342",
    "critical": "#ff6e67",
    "on-badge": "#10151b",
    "bar": "#4f7a9e",
}
"""What fills the keys that a dark theme leaves out; its keys are all there are."""

LIGHT: Mapping[str, str] = {
    "background": "#fbfaf7",
    "foreground": "#22292f",
    "muted": "#5d6770",
    "frame": "#cfd3d4",
    "focus": "#6a8aa8",
    "key": "#1c5f9e",
    "train": "#1565b8",
    "eval": "#a84c05",
    "train-raw": "#a9cbeb",
    "eval-raw": "#edc4a3",
    "axis": "#69737c",
    "mark": "#11161a",
    "ok": "#22703c",
    "notice": "#0b6b77",
    "warning": "#8a6100",
    "critical": "#bb1f22",
    "on-badge": "#ffffff",
    "bar": "#5a86ae",
}
"""What fills the keys that a light theme leaves out."""

FAMILY = "lossmon-"
"""What the names of our own two themes begin with, and may be left out."""

DEFAULT_THEME = "lossmon-dark"
LIGHT_THEME = "lossmon-light"
TERMINAL_THEME = "terminal"
"""For terminals of sixteen colours or fewer."""

_NAME = lazy_pattern(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_HEX = lazy_pattern(r"#[0-9a-fA-F]{6}", re.ASCII)
_ANSI = lazy_pattern(
    r"ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))", re.ASCII
)
_TABLES = frozenset({"name", "dark", "ansi", "colors"})


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of the screen.

    Attributes:
        name: What the user calls it.
        colors: `#rrggbb` by role; a theme of the terminal's own colours has names such as
            `ansi_blue`.
        dark: The ground is darker than the text.
        ansi: The colours are the terminal's own.
    """

    name: str
    colors: Mapping[str, str]
    dark: bool = True
    ansi: bool = False


@dataclass(frozen=True, slots=True)
class Themes:
    """What the theme directories gave.

    Attributes:
        loaded: Usable themes by name; a later directory replaces the themes of an earlier one.
        failed: One line per file that could not be used: file, key, reason.
    """

    loaded: Mapping[str, Theme]
    failed: tuple[str, ...] = ()


def built_in_directory() -> Path:
    """Where the themes that come with lossmon lie: in the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    packaged = package / "themes"
    return packaged if packaged.is_dir() else package.parent / "themes"


def usual_theme(terminal: Terminal, kept: str | None) -> str:
    """Name of the theme to begin with where the settings name none.

    Args:
        kept: Name that the user chose on the screen earlier, or None.
    """
    if terminal.plain:
        return TERMINAL_THEME
    return kept or (LIGHT_THEME if terminal.light else DEFAULT_THEME)


def directories_for(name: str, own: Path | None) -> list[Path]:
    """Where themes have to be read to know one by its name: nowhere for the default theme.

    Args:
        own: The user's own directory of themes, or None.
    """
    if name == DEFAULT_THEME and not (own is not None and own.is_dir()):
        return []
    return [built_in_directory(), *([] if own is None else [own])]


def known_name(name: str, known: Collection[str]) -> str | None:
    """The name of a theme as its file has it; None where no theme has this name."""
    return next((one for one in (f"{FAMILY}{name}", name) if one in known), None)


def full_name(name: str, known: Iterable[str]) -> str:
    """The name of a theme as its file has it.

    Raises:
        ConfigError: No theme has this name.
    """
    names = list(known)
    found = known_name(name, names)
    if found is None:
        meant = did_you_mean(name, [*names, *(one.removeprefix(FAMILY) for one in names)])
        raise ConfigError(f"theme {name}: not found; use auto, {', '.join(names)}{meant}")
    return found


def load_themes(directories: Iterable[Path]) -> Themes:
    """Read every `*.toml` of the directories; the default dark theme is always there."""
    loaded = {DEFAULT_THEME: Theme(DEFAULT_THEME, DARK)}
    failed: list[str] = []
    for directory in directories:
        try:
            paths = sorted(directory.glob("*.toml"), key=lambda path: path.stem)
        except OSError as error:
            failed.append(f"{directory}: {error.strerror or error}")
            continue
        for path in paths:
            try:
                theme = load_theme(path)
            except ThemeError as error:
                failed.append(str(error))
            else:
                loaded[theme.name] = theme
    return Themes(loaded, tuple(failed))


def load_theme(path: Path) -> Theme:
    """Read one theme file.

    Raises:
        ThemeError: The file cannot be read or does not describe a theme; says which key and why.
    """
    try:
        table = read_toml(path)
    except OSError as error:
        raise ThemeError(f"theme {path.name}: {error.strerror or error}") from error
    except TomlError as error:
        raise ThemeError(f"theme {path.name}: {error}") from error
    try:
        return parse(table)
    except ThemeError as error:
        raise ThemeError(f"theme {path.name}: {error}") from None


def parse(table: Mapping[str, object]) -> Theme:
    """Turn the content of a theme file into a theme.

    Raises:
        ThemeError: A key is missing, unknown or has a value that it cannot have.
    """
    for key in table:
        if key not in _TABLES:
            raise ThemeError(f"{key}: unknown; known are {', '.join(sorted(_TABLES))}")
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ThemeError("name: must be lower-case letters, digits and hyphens")
    dark, ansi = _switch(table, "dark", True), _switch(table, "ansi", False)
    colors = table.get("colors", {})
    if not isinstance(colors, dict):
        raise ThemeError("colors: must be a table")
    chosen = dict(DARK if dark else LIGHT)
    for key, value in colors.items():
        if key not in chosen:
            raise ThemeError(f"colors.{key}: unknown; known are {', '.join(chosen)}")
        chosen[key] = _color(f"colors.{key}", value, ansi)
    if ansi and len(colors) < len(chosen):
        missing = next(key for key in chosen if key not in colors)
        raise ThemeError(f"colors.{missing}: missing; a theme with ansi = true names every colour")
    return Theme(name, chosen, dark, ansi)


def _switch(table: Mapping[str, object], key: str, default: bool) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise ThemeError(f"{key}: must be true or false")
    return value


def _color(key: str, value: object, ansi: bool) -> str:
    if isinstance(value, str) and (_HEX.fullmatch(value) or (ansi and _ANSI.fullmatch(value))):
        return value
    allowed = '"#rrggbb" or a name such as "ansi_blue"' if ansi else '"#rrggbb"'
    raise ThemeError(f"{key}: must be {allowed}")
