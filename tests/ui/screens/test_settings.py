"""The settings view writes config.toml and keeps what else stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.config import SETTINGS
from lossmon.ui.chart.model import Guides, XAxis
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.settings import SettingsScreen
from tests.ui import stage
from tests.ui.screen import SIZES, text, wrong_at

NAMES = [one.name for one in SETTINGS]


def page(app: object) -> SettingsScreen:
    screen = getattr(app, "screen", None)
    assert isinstance(screen, SettingsScreen)
    return screen


async def test_a_change_is_written_and_holds_while_the_rest_of_the_file_stays(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('# mine\nguides = "grid"  # always\n\n[metrics]\ntrain_loss = "l"\n')
    app = stage.app(stage.snapshot(stage.healthy()), config=ScreenConfig(settings=file))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("C", *["down"] * NAMES.index("guides"), "enter")
        assert file.read_text().startswith('# mine\nguides = "none"  # always\n')
        assert app.charts.settings.guides is Guides.NONE
        await pilot.press("left", "left")
        assert app.charts.settings.guides is Guides.HORIZONTAL
        await pilot.press(*["up"] * (NAMES.index("guides") - NAMES.index("x_axis")))
        assert page(app).setting.name == "x_axis"
        await pilot.press("space")
        assert app.charts.settings.x is XAxis.EPOCH
        assert file.read_text().endswith('[metrics]\ntrain_loss = "l"\n')
        await pilot.press("backspace")
        assert app.charts.settings.x is XAxis.STEP and "x_axis" not in file.read_text()
        theme = NAMES.index("theme")
        await pilot.click(page(app).body, offset=(6, theme), times=2)
        assert f'theme = "{app.theme}"' in file.read_text()
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


async def test_a_broken_file_is_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSMON_THEME", "nord")
    file = tmp_path / "config.toml"
    file.write_text("guides = \n")
    config = ScreenConfig(settings=file, language="zh")
    app = stage.app(stage.snapshot(stage.healthy()), config=config)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("C", "enter")
        shown = "".join(text(app).split())
        assert page(app).error and "TOML：" in shown and "LOSSMON_THEME" in shown
        assert file.read_text() == "guides = \n"
        assert not [fault for size in SIZES for fault in await wrong_at(pilot, app, size)]


async def test_without_a_settings_file_nothing_can_be_changed() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("C")
        assert isinstance(app.screen, Dashboard)
        assert [one.message for one in app._notifications] == [
            "the settings cannot be changed here"
        ]
