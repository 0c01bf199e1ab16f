"""The themes are tried on before one is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.themes import ThemesScreen
from lossmon.ui.state.preferences import Preferences
from lossmon.ui.terminal import Terminal
from tests.ui import stage
from tests.ui.screen import SIZES, text, wrong_at


async def test_moving_the_choice_puts_a_theme_on_at_once() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        names = list(app.screen.names) if isinstance(app.screen, ThemesScreen) else []
        assert len(names) >= 8
        at = names.index(app.theme)
        for key, step in (("down", 1), ("t", 2), ("up", 1)):
            await pilot.press(key)
            assert app.theme == names[(at + step) % len(names)]


async def test_escape_gives_the_theme_of_before_back(tmp_path: Path) -> None:
    app = stage.app(stage.snapshot(stage.healthy()), config=ScreenConfig(state=tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        before = app.theme
        await pilot.press("t", "down", "down", "escape")
        assert app.theme == before
        assert isinstance(app.screen, Dashboard)
    assert list(tmp_path.iterdir()) == []


async def test_a_theme_that_was_taken_is_there_at_the_next_start(tmp_path: Path) -> None:
    config = ScreenConfig(state=tmp_path)
    app = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t", "down", "enter")
        taken = app.theme
    assert Preferences(tmp_path).theme == taken
    assert stage.app(stage.snapshot(stage.healthy()), config=config).theme == taken


async def test_what_the_user_sets_is_stronger_than_what_was_taken(tmp_path: Path) -> None:
    Preferences(tmp_path).keep_theme("nord")
    config = ScreenConfig(state=tmp_path, theme="gruvbox")
    assert stage.app(stage.snapshot(stage.healthy()), config=config).theme == "gruvbox"


def test_our_own_themes_have_short_names() -> None:
    app = stage.app(stage.snapshot(stage.healthy()), config=ScreenConfig(theme="light"))
    assert app.theme == "lossmon-light"
    assert app.scene.errors == ()


async def test_a_click_tries_a_theme_on() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        page = app.screen
        assert isinstance(page, ThemesScreen)
        await pilot.click(page.body, offset=(6, 3))
        assert app.theme == page.names[3]


@pytest.mark.usefixtures("unpainted")
async def test_the_run_is_seen_in_the_theme_at_every_size() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.press("t")
        for size in SIZES:
            assert await wrong_at(pilot, app, size) == []
            for part in ("▸ lossmon-dark", "OVERFITTING", "train"):
                assert part in text(app), size


def test_a_light_terminal_gets_the_light_theme_unless_the_user_chose() -> None:
    light = Terminal(light=True)
    run = stage.snapshot(stage.healthy())
    assert stage.app(run, terminal=light).theme == "lossmon-light"
    chosen = ScreenConfig(theme="nord")
    assert stage.app(run, terminal=light, config=chosen).theme == "nord"


async def test_the_charts_have_their_titles_from_the_start() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(61, 19)) as pilot:
        await pilot.press("t")
        await pilot.pause()
        assert "╭─ train" in text(app)


async def test_the_wheel_tries_themes_on_and_two_clicks_apply_one(tmp_path: Path) -> None:
    app = stage.app(stage.snapshot(stage.healthy()), config=ScreenConfig(state=tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t", "home")
        page = app.screen
        assert isinstance(page, ThemesScreen)
        page.wheel(events.MouseScrollDown(page, 1, 1, 0, 1, 0, False, False, False), 1)
        assert app.theme == page.names[1]
        await pilot.click(page.body, offset=(6, 2), times=2)
        assert isinstance(app.screen, Dashboard) and app.theme == page.names[2]
    assert Preferences(tmp_path).theme == page.names[2]
