"""The palette finds every action by a part of its name, and does it."""

from __future__ import annotations

from textual.binding import Binding

from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.keys import BINDINGS
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.detail import DetailScreen
from lossmon.ui.screens.diagnosis import DiagnosisScreen
from lossmon.ui.screens.log import LogScreen
from lossmon.ui.screens.palette import PaletteScreen
from tests.ui import stage
from tests.ui.screen import rows, text


def page(app: LossmonApp) -> PaletteScreen:
    assert isinstance(app.screen, PaletteScreen)
    return app.screen


async def test_every_action_of_the_app_is_in_the_palette() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        names = {command.name for command in page(app).known}
        wanted = {one.id for one in (*BINDINGS, *Dashboard.BINDINGS) if isinstance(one, Binding)}
        assert wanted - {"app.palette"} <= names


async def test_typing_makes_the_list_shorter_and_enter_does_what_is_left() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"verdict", "space", *"evidence")
        assert [command.name for command in page(app).found] == ["view.diagnosis"]
        await pilot.press("enter")
        assert isinstance(app.screen, DiagnosisScreen)


async def test_an_action_is_done_in_the_view_below() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l", "ctrl+p", *"page.search", "enter")
        assert isinstance(app.screen, LogScreen)
        assert app.screen.entry.active


async def test_letters_are_letters_and_escape_does_nothing() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", "q", "t", "backspace", "y")
        assert page(app).entry.text == "qy"
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)
        assert not app.charts.settings.log


async def test_nothing_found_is_said_and_enter_stays() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"zzzz", "down", "pagedown", "enter")
        assert "no matching command" in "\n".join(rows(app))
        assert "enter select" not in "\n".join(rows(app))


async def test_arrows_move_the_choice_and_the_list_follows() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("ctrl+p", *["down"] * 20)
        assert page(app).chosen == 20
        chosen = page(app).found[20].text
        assert any(row.startswith("│ ▸ ") and chosen[:10] in row for row in rows(app))
        await pilot.press("pageup", "up")
        assert page(app).chosen == 9


async def test_runs_and_themes_are_found_too() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 40)) as pilot:
        last = app.snapshot.runs[-1].name
        await pilot.press("ctrl+p", *last, "enter")
        assert app.scene.run is not None
        assert app.scene.run.name == last
        await pilot.press("ctrl+p", *"nord", "enter")
        assert app.theme == "nord"


async def test_metrics_are_found_by_their_tags_and_opened() -> None:
    app = stage.app(stage.SCENES["healthy"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"metric acc")
        assert [one.text for one in page(app).found] == ["eval accuracy"]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert "eval accuracy" in text(app)


async def test_a_click_does_a_thing() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"view.log")
        await pilot.click(page(app).body, offset=(6, 0))
        assert isinstance(app.screen, LogScreen)


async def test_it_speaks_chinese_and_opens_without_any_run() -> None:
    app = stage.app(Snapshot(), config=ScreenConfig(language="zh"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"app.quit")
        assert "退出" in "\n".join(rows(app))
