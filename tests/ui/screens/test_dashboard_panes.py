"""Panes of the dashboard: focused and hidden by number, resized by key and by mouse, zoomed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.events import MouseMove, MouseScrollUp
from textual.geometry import Offset, Size
from textual.pilot import Pilot

from lossmon.types import HardwareReading
from lossmon.ui.chart.model import ChartSettings
from lossmon.ui.scene import Scene, ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.dashboard_keys import useless_keys
from lossmon.ui.screens.detail import DetailScreen
from lossmon.ui.screens.pane_sizes import clamped
from tests.ui import stage
from tests.ui.screen import text


def dashboard(pilot: Pilot[None]) -> Dashboard:
    assert isinstance(pilot.app.screen, Dashboard)
    return pilot.app.screen


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(offset=start)
    for at in ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2), end:
        await pilot._post_mouse_events([MouseMove], offset=at, button=1)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


async def test_a_number_focuses_a_pane_and_then_hides_it() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        page = dashboard(pilot)
        await pilot.press("6")
        await pilot.pause()
        assert page.focused is page.verdicts
        await pilot.press("6")
        await pilot.pause()
        assert not page.verdicts.display and page.focused is None
        assert "1 hidden pane" in text(app)
        await pilot.press("6")
        await pilot.pause()
        assert page.verdicts.display and page.verdicts.has_focus


async def test_a_pane_without_a_place_has_the_whole_body() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(80, 24)) as pilot:
        page = dashboard(pilot)
        assert not page.verdicts.display
        await pilot.press("6")
        await pilot.pause()
        assert page.verdicts.display and page.verdicts.size.height > 12
        await pilot.press("escape")
        await pilot.pause()
        assert not page.verdicts.display and page.losses.display


async def test_keys_resize_panes_and_the_sizes_are_kept(tmp_path: Path) -> None:
    config = ScreenConfig(state=tmp_path)
    app = stage.app(stage.snapshot(stage.overfitting()), config=config)
    async with app.run_test(size=(120, 40)) as pilot:
        page = dashboard(pilot)
        metrics, side = page.metrics.outer_size.height, page.side.outer_size.width
        await pilot.press("3", "ctrl+up", "ctrl+up", "ctrl+left")
        await pilot.pause()
        assert page.metrics.outer_size.height == metrics + 2
        assert page.side.outer_size.width == side + 4
    again = stage.app(stage.snapshot(stage.overfitting()), config=config)
    async with again.run_test(size=(120, 40)) as pilot:
        page = dashboard(pilot)
        assert page.metrics.outer_size.height == metrics + 2
        await pilot.press("9")
        await pilot.pause()
        assert page.metrics.outer_size.height == metrics
        assert page.side.outer_size.width == side


async def test_borders_are_dragged() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        page = dashboard(pilot)
        side, log, train = page.side.region, page.tail.region, page.losses.panes["train"].region
        await drag(pilot, (side.x, 20), (side.x - 10, 20))
        assert page.side.region.x == side.x - 10
        await drag(pilot, (40, log.y), (40, log.y - 2))
        assert page.tail.region.height == log.height + 2
        # The lower edge of the pane above is the same border.
        await drag(pilot, (40, train.bottom - 1), (40, train.bottom - 3))
        assert page.losses.panes["train"].region.height < train.height
        # What was dragged was not clicked.
        assert app.screen is page


def test_a_size_leaves_the_charts_their_room() -> None:
    screen = Size(120, 40)
    assert clamped("side", 500, screen) == 72 and clamped("side", 1, screen) == 24
    assert clamped("train", 100, screen) == 80 and clamped("log", 0, screen) == 3
    assert clamped("metrics", 90, screen) == 20 and clamped("hardware", 90, screen) == 30


async def test_the_mouse_looks_around_in_a_main_chart() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        page = dashboard(pilot)
        pane = page.losses.panes["train"]
        at = (pane.chart.region.x + 40, pane.chart.region.y + 4)
        await pilot.click(offset=at)
        await pilot.pause()
        assert pane.has_focus and pane.viewport.cursor is not None
        assert f"step {pane.viewport.cursor:,.0f}" in text(app)
        await pilot._post_mouse_events([MouseScrollUp], offset=at)
        await pilot.pause()
        window = pane.viewport.window
        assert window is not None and window.low <= pane.viewport.cursor <= window.high
        await drag(pilot, at, (at[0] + 5, at[1]))
        assert pane.viewport.window is not None and pane.viewport.window.low < window.low
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert pane.viewport.window is None and pane.viewport.cursor is None


async def test_two_clicks_open_a_chart_and_so_does_its_title() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        pane = dashboard(pilot).losses.panes["train"]
        await pilot.click(offset=(pane.region.x + 5, pane.region.y))
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.click(offset=(pane.region.x + 30, pane.region.y + 4), times=2)
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)


async def test_the_footer_shows_what_works_here_and_now() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        footer = text(app).splitlines()[-1]
        assert footer.startswith(" ? help  q quit  d diagnosis")
        # A single run that logged no answers, all of its panes open.
        assert not any(word in footer for word in ("runs", "compare", "outputs", "all panes"))
        await pilot.press("3")
        await pilot.pause()
        footer = text(app).splitlines()[-1]
        assert footer.startswith(" enter open") and "esc back  ? help" in footer
        await pilot.press("slash", "q")
        await pilot.pause()
        assert text(app).splitlines()[-1].strip() == "enter apply  esc clear"
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert text(app).splitlines()[-1].startswith(" ? help")


def test_only_keys_that_would_do_something_are_offered() -> None:
    several = Scene(stage.several())
    assert not {"view.runs", "view.compare"} & useless_keys(several)
    assert "pane.all" in useless_keys(several)
    hidden = replace(several, chart_settings=ChartSettings(hidden=frozenset({"log"})))
    assert "pane.all" not in useless_keys(hidden)
    assert {"view.runs", "view.outputs", "chart.x", "run.pause"} <= useless_keys(Scene())
    assert {"view.diagnosis", "chart.log", "pane.open"} <= useless_keys(Scene())
    assert not {"view.help", "app.quit", "app.theme"} & useless_keys(Scene())


async def test_the_help_begins_with_the_view_it_was_opened_from() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Views" in text(app).splitlines()[1]
        await pilot.press("escape", "m", "question_mark")
        await pilot.pause()
        assert "metrics" in text(app).splitlines()[1]


async def test_a_click_on_the_title_of_a_pane_opens_its_view() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        page = dashboard(pilot)
        for pane, view in ((page.metrics, "metrics"), (page.tail, "log")):
            await pilot.click(offset=(pane.region.x + 3, pane.region.y))
            await pilot.pause()
            assert app.screen is not page and app.screen.title_word == view  # type: ignore[attr-defined]
            await pilot.press("escape")
            await pilot.pause()


async def test_a_column_that_is_none_is_not_widened() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("ctrl+left", "ctrl+up")
        await pilot.pause()
        assert app.charts.settings.sizes == {}


async def test_the_panes_are_zoomed_and_moved_together() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        train, evals = (dashboard(pilot).losses.panes[name] for name in ("train", "eval"))
        at = train.chart.region.offset + Offset(train.chart.size.width // 2, 5)
        await pilot._post_mouse_events([MouseScrollUp], offset=at)
        await pilot.pause()
        assert train.viewport.window is not None
        assert evals.viewport.window == train.viewport.window
        evals.viewport.pan(-0.2)
        evals.looked()
        await pilot.pause()
        assert train.viewport.window == evals.viewport.window
        assert train.drop_cursor()
        await pilot.pause()
        assert evals.viewport.window is None


async def test_many_gpus_leave_settings_and_verdicts_their_rows() -> None:
    hardware = HardwareReading(tuple(stage.gpu(at) for at in range(8)))
    settings = {"learning_rate": "1e-4", "seed": "7", "max_steps": "240", "batch_size": "8"}
    run = replace(stage.overfitting(), settings=settings)
    app = stage.app(stage.snapshot(run, hardware=hardware))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        page = dashboard(pilot)
        assert page.hardware.size.height == 16, "two rows per GPU, and none left empty"
        assert page.verdicts.region.bottom <= page.side.region.bottom
        assert page.verdicts.size.height >= 3 and page.configuration.size.height >= 4
