"""An unexpected exception in a panel, a view or a key costs that one thing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.events import Resize
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from lossmon.ui.app import LossmonApp
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.screens.base.scene_screen import SceneScreen
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.diagnosis import DiagnosisScreen
from lossmon.ui.screens.export import ExportScreen
from lossmon.ui.screens.log import LogScreen
from lossmon.ui.views import VIEWS
from lossmon.ui.widgets.charts.readings import Readings
from lossmon.ui.widgets.guarded import Guarded
from tests.ui import stage
from tests.ui.screen import rows, text

pytestmark = pytest.mark.faulty

KEYS = ("", "enter", *(view.key.split(",")[0] for view in VIEWS if view.key))
"""What opens the dashboard, a chart, and each view that has a key."""


class UnknownError(Exception):
    """What nobody expects."""


def surprise(*_: object, **__: object) -> Any:
    raise UnknownError("surprise")


def set_method(widget: Guarded, name: str, method: Callable[..., object]) -> None:
    """Give a widget that is on the screen another guarded method."""
    setattr(widget, name, partial(widget._guard, name, method))


def said_in(app: LossmonApp, widget: Widget) -> str:
    """What stands in the room of a widget."""
    region = widget.content_region
    return " ".join(row[region.x : region.right] for row in rows(app)[region.y : region.bottom])


async def settled(pilot: Pilot[None], app: LossmonApp) -> str:
    """What stands on the terminal once it stays: some titles follow their chart."""
    before = ""
    while text(app) != before:
        before = text(app)
        app.present()
        await pilot.pause()
    return before


def panels(screen: Screen[object]) -> list[Guarded]:
    """Widgets that are seen and are not covered by others."""
    known = [one for one in screen.query(Widget) if isinstance(one, Guarded)]
    return [one for one in known if one.content_region and not one.children]


@pytest.mark.parametrize("key", KEYS)
async def test_a_panel_that_cannot_be_painted_says_so_until_it_can(key: str) -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.press(*filter(None, ["escape", key]))
        before = await settled(pilot, app)
        found = {panel: panel.render_line for panel in panels(app.screen)}
        assert found
        for panel in found:
            set_method(panel, "render_line", surprise)
            panel.refresh()
        await pilot.pause()
        said = [said_in(app, panel).strip().startswith("internal") for panel in found]
        assert all(said), dict(zip(found, said, strict=True))
        for panel, usual in found.items():
            panel.render_line = usual  # type: ignore[method-assign]
        assert await settled(pilot, app) == before


@pytest.mark.parametrize("key", KEYS)
async def test_a_view_that_cannot_be_updated_says_so_until_it_can(key: str) -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.press(*filter(None, ["escape", key]))
        before, view = await settled(pilot, app), app.screen
        assert isinstance(view, SceneScreen)
        usual = view.present
        set_method(view, "present", surprise)
        app.present()
        await pilot.pause()
        assert "internal error:" in text(app)
        view.present = usual  # type: ignore[method-assign]
        assert await settled(pilot, app) == before


async def test_a_view_that_cannot_be_updated_is_opened_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LogScreen, "lines", surprise)
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.press("l")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen)
        assert "internal error: UnknownError: surprise" in said_in(app, app.screen.body)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


PARTS = ("losses", "metrics", "hardware", "verdicts", "badge", "header", "log")


@pytest.mark.parametrize("name", PARTS)
async def test_a_panel_that_cannot_take_new_data_costs_no_other(name: str) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        panel: Any = app.screen.query_one(f"#{name}")
        usual = panel.show
        set_method(panel, "show", surprise)
        app.post_message(SnapshotReady(stage.snapshot(stage.overfitting())))
        await pilot.pause()
        assert "internal error: UnknownError" in said_in(app, panel)
        assert "OVERFITTING" in text(app)
        panel.show = usual
        app.present()
        await pilot.pause()
        assert "internal error" not in text(app) and "OVERFITTING" in text(app)


async def test_a_panel_without_a_height_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Readings, "wanted_height", surprise)
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert "internal error: UnknownError" in said_in(app, app.screen.query_one(Readings))


async def test_a_key_that_fails_says_so_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(LossmonApp, "action_log_axis", surprise)
    monkeypatch.setattr(DiagnosisScreen, "create", surprise)
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        for key in ("y", "y", "d"):
            await pilot.press(key)
            await pilot.pause()
            assert "internal error: UnknownError: surprise" in text(app)
        await pilot.press("l")
        assert isinstance(app.screen, LogScreen)
    assert [one.getMessage() for one in caplog.records] == ["internal error"]


@pytest.mark.parametrize("handler", ["on_click", "on_key", "on_resize", "on_mount"])
async def test_an_event_that_fails_costs_nothing(
    handler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogScreen, handler, surprise, raising=False)
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        await pilot.press("l", "j")
        await pilot.click()
        await pilot.resize_terminal(150, 50)
        await pilot.pause()
        assert "internal error: UnknownError: surprise" in text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


@pytest.mark.parametrize("name", ["compose", "lines"])
async def test_a_view_that_cannot_be_opened_is_closed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        if name == "compose":
            monkeypatch.setattr(LogScreen, name, surprise)
        await pilot.press("l")
        if name == "lines":
            app.screen.call_after_refresh(surprise)
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert "internal error: UnknownError: surprise" in text(app)


async def test_a_size_that_no_terminal_has_is_not_believed() -> None:
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        absurd = Size(99_999, 99_999)
        app.post_message(Resize(absurd, absurd))
        await pilot.pause()
        assert app.screen.size == (80, 24)


async def test_a_deleted_current_directory_costs_no_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    app = stage.app(stage.snapshot(stage.healthy()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w")
        assert isinstance(app.screen, ExportScreen)
        assert app.screen.directory == str(Path.home())


def test_every_widget_that_paints_is_guarded() -> None:
    for view in VIEWS:
        view.screen_class()
    waiting, known = [Widget], []
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        known += [one] if one.__module__.startswith("lossmon.") else []
    assert len(known) > 40
    unguarded = [one for one in known if not issubclass(one, Guarded)]
    assert {one.__name__ for one in unguarded} == {"ChartPointer", "FramedRows"}
