"""Theme files become themes; a broken one is named and skipped."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from textual.color import Color

from lossmon.errors import ThemeError
from lossmon.ui.theme.palette import Palette
from lossmon.ui.theme.theme import (
    DARK,
    DEFAULT_THEME,
    LIGHT,
    TERMINAL_THEME,
    Theme,
    built_in_directory,
    load_theme,
    load_themes,
    parse,
)

BUILT_IN = sorted(built_in_directory().glob("*.toml"))
TEXTS = ("foreground", "muted", "key", "train", "eval", "axis", "mark", "ok", "notice")
ALARMS = ("warning", "critical")


def luminance(color: Color) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [part / 255 for part in color.rgb]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, bright = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_a_built_in_theme_has_the_name_of_its_file(path: Path) -> None:
    assert load_theme(path).name == path.stem


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_every_text_can_be_read_on_its_ground(path: Path) -> None:
    theme = load_theme(path)
    if theme.ansi:
        return
    colors = theme.colors
    for role in (*TEXTS, *ALARMS):
        assert contrast(colors[role], colors["background"]) >= 4.5, role
    for role in ALARMS:
        assert contrast(colors["on-badge"], colors[role]) >= 4.5, role


def test_high_contrast_is_what_its_name_says() -> None:
    colors = load_theme(built_in_directory() / "high-contrast.toml").colors
    for role in (*TEXTS, *ALARMS):
        assert contrast(colors[role], colors["background"]) >= 7, role


DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
"""What is left of linear red, green and blue (Machado, Oliveira and Fernandes, 2009)."""


def seen_without_green(color: str) -> tuple[float, float, float]:
    """Lightness and the two hues (CIE Lab, D65) of a colour as a deuteranope sees it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in Color.parse(color).rgb)
    ]
    red, green, blue = (
        min(1.0, max(0.0, sum(w * c for w, c in zip(row, linear, strict=True))))
        for row in DEUTERANOPIA
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize(
    "one, other",
    [("train", "eval"), ("ok", "critical"), ("ok", "warning"), ("warning", "critical")],
)
def test_the_colour_blind_theme_keeps_apart_what_must_be_told_apart(one: str, other: str) -> None:
    colors = load_theme(built_in_directory() / "colour-blind.toml").colors
    distance = math.dist(seen_without_green(colors[one]), seen_without_green(colors[other]))
    # Ten is a glance's difference between two thin lines; twenty leaves no doubt.
    assert distance >= 20


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_a_built_in_theme_names_every_color(path: Path) -> None:
    for color in load_theme(path).colors.values():
        Color.parse(color)


def test_the_defaults_in_the_code_are_those_of_the_files() -> None:
    themes = load_themes([built_in_directory()])
    assert themes.failed == ()
    assert {DEFAULT_THEME, TERMINAL_THEME} <= set(themes.loaded)
    assert themes.loaded["lossmon-dark"] == Theme("lossmon-dark", DARK)
    assert themes.loaded["lossmon-light"] == Theme("lossmon-light", LIGHT, dark=False)


def test_a_theme_of_the_user_replaces_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "lossmon-dark.toml").write_text(
        'name = "lossmon-dark"\n[colors]\ntrain = "#123456"\n'
    )
    themes = load_themes([built_in_directory(), tmp_path])
    assert themes.loaded["lossmon-dark"].colors["train"] == "#123456"
    assert themes.loaded["lossmon-dark"].colors["eval"] == DARK["eval"]


def test_a_broken_theme_is_named_once_and_the_others_load(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('name = "bad"\n[colors]\ntrain = "blurple"\n')
    (tmp_path / "good.toml").write_text('name = "good"\n')
    themes = load_themes([tmp_path])
    assert "good" in themes.loaded
    assert "bad" not in themes.loaded
    assert themes.failed == ('theme bad.toml: colors.train: must be "#rrggbb"',)


def test_a_missing_directory_holds_no_themes(tmp_path: Path) -> None:
    themes = load_themes([tmp_path / "nowhere"])
    assert list(themes.loaded) == [DEFAULT_THEME]
    assert themes.failed == ()


@pytest.mark.parametrize(
    "table, reason",
    [
        pytest.param({}, "name: must be", id="no name"),
        pytest.param({"name": "../x"}, "name: must be", id="a path as a name"),
        pytest.param({"name": "x", "dark": "yes"}, "dark: must be true", id="dark is a word"),
        pytest.param({"name": "x", "colour": {}}, "colour: unknown", id="unknown key"),
        pytest.param({"name": "x", "colors": 3}, "colors: must be a table", id="colors is 3"),
        pytest.param({"name": "x", "colors": {"tarin": "#000000"}}, "tarin: unknown", id="typo"),
        pytest.param({"name": "x", "colors": {"train": 7}}, "colors.train", id="a number"),
        pytest.param(
            {"name": "x", "colors": {"train": "ansi_blue"}}, "colors.train", id="ansi in hex"
        ),
        pytest.param(
            {"name": "x", "ansi": True, "colors": {"train": "ansi_blue"}},
            "background: missing",
            id="ansi without all",
        ),
    ],
)
def test_a_wrong_table_says_which_key_and_why(table: dict[str, object], reason: str) -> None:
    with pytest.raises(ThemeError, match=reason):
        parse(table)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"name = "],
    ids=["not text", "not TOML"],
)
def test_a_file_that_is_no_theme_is_an_error_of_its_own(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ThemeError, match=r"x\.toml"):
        load_theme(path)


def test_what_recedes_is_dim_where_there_are_no_colors() -> None:
    plain = Palette({"foreground": "ansi_default"}, reverse=True)
    assert plain.style("train-raw").dim and plain.style("muted").dim
    assert not plain.style("train").dim and not Palette({}).style("muted").dim
