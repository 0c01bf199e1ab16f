"""The detail of a metric: every key, the mouse, new data, and what is typed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from lossmon.types import RunSnapshot, Snapshot
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.detail import DetailScreen
from lossmon.ui.terminal import Terminal
from tests.ui import stage
from tests.ui.screen import SIZES, TINY, faults, rows, wrong_at
from tests.ui.test_app import text

OUT, IN = "left_square_bracket", "right_square_bracket"
LEFT, RIGHT = "left_curly_bracket", "right_curly_bracket"


def eventful() -> RunSnapshot:
    """A run with every kind of mark: at step 400 a restart, 1,000 a checkpoint, 600 NaN."""
    values = stage.falling(1240)
    values[599:603] = np.nan
    values[800] = 40.0
    run = stage.run(
        stage.OVERFITTING,
        train=values,
        evaluated=stage._eval(0.6, 1.1),
        history=stage.overfitting().diagnosis.history,
    )
    return replace(run, restarts=(400,), checkpoints=((1000, "checkpoint-1000"),))


def grown(run: RunSnapshot, n: int) -> RunSnapshot:
    """The same run at a later step."""
    train = stage.series(stage.TRAIN_LOSS, np.arange(1, n + 1), stage.falling(n))
    return replace(run, step=n, series=(train, *run.series[1:]))


async def opened(pilot: Pilot[None], *keys: str) -> DetailScreen:
    """The detail of both losses, with some keys pressed."""
    await pilot.press("enter", *keys)
    await pilot.pause()
    view = pilot.app.screen
    assert isinstance(view, DetailScreen)
    return view


def span(view: DetailScreen) -> tuple[float, float]:
    """The positions in view."""
    assert view.chart.frame is not None
    return view.chart.frame.x.low, view.chart.frame.x.high


@pytest.mark.parametrize("back", ["enter", "escape"])
async def test_enter_opens_both_losses_and_goes_back(back: str) -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        shown = text(app)
        assert "━━ train loss  step 1,240  0.5158  smoothed 0.5543  epoch 1.24" in shown
        assert "━━ eval loss   step 1,200  1.649" in shown
        await pilot.press(back)
        assert isinstance(app.screen, Dashboard)


async def test_the_values_below_name_a_metric_as_its_title_does() -> None:
    run = stage.overfitting()
    meaning = replace(stage.TRAIN_LOSS, label="train focalloss")
    loss = replace(run.series[0], tag="train/FocalLoss", meaning=meaning)
    app = stage.app(stage.snapshot(replace(run, series=(loss, *run.series[1:]))))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        assert "━━ train FocalLoss  step 1,240" in text(app)
        await pilot.press("escape", "1", "left")
        await pilot.pause()
        assert "train FocalLoss 0." in text(app)


async def test_enter_does_nothing_while_there_is_no_run() -> None:
    app = stage.app(stage.waiting())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        assert isinstance(app.screen, Dashboard)


async def test_a_metric_is_chosen_in_its_panel_and_opened() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.screen
        assert isinstance(dashboard, Dashboard)
        dashboard.metrics.focus()
        await pilot.press("down", "down")
        await pilot.pause()
        assert "▸grad norm" in text(app)
        await pilot.press("up", "down", "enter")
        await pilot.pause()
        assert "━━ grad norm  step 1,240" in text(app)


async def test_the_panel_scrolls_to_the_chosen_metric() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(40, 24)) as pilot:
        dashboard = app.screen
        assert isinstance(dashboard, Dashboard)
        dashboard.metrics.focus()
        count = len(dashboard.metrics.entries)
        assert dashboard.metrics.size.height < count
        await pilot.press("end")
        await pilot.pause()
        assert "▸tokens/s" in text(app)


async def test_n_and_p_step_through_every_series_of_the_run() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        names = []
        for _ in range(len(view.catalogue.subjects)):
            names.append([curve.name for curve in view.chart.model.curves])
            await pilot.press("n")
        assert names[:3] == [["train loss", "eval loss"], ["train loss"], ["eval loss"]]
        assert ["gap"] in names and ["learning rate"] in names and ["tokens/s"] in names
        assert [curve.name for curve in view.chart.model.curves] == names[0]
        await pilot.press("p")
        assert [curve.name for curve in view.chart.model.curves] == names[-1]


async def test_v_shows_one_loss_or_both() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "v")
        assert len(view.chart.model.curves) == 1
        await pilot.press("v")
        assert len(view.chart.model.curves) == 2


async def test_the_cursor_goes_point_by_point_and_far() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "left")
        assert view.viewport.cursor == 1240
        await pilot.press("left", "left", "right")
        assert view.viewport.cursor == 1239
        await pilot.press("shift+left")
        assert view.viewport.cursor is not None and view.viewport.cursor <= 1219
        assert f"step {view.viewport.cursor:,.0f}" in text(app)
        await pilot.press("shift+right", "shift+right", "right")
        assert view.viewport.cursor == 1240


async def test_zooming_keeps_the_cursor_in_its_place() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        view.viewport.look_at(600)
        low, high = span(view)
        share = (600 - low) / (high - low)
        await pilot.press(IN, IN)
        near = span(view)
        assert near[1] - near[0] == pytest.approx((high - low) / 4)
        assert (600 - near[0]) / (near[1] - near[0]) == pytest.approx(share)
        await pilot.press(OUT, OUT)
        assert view.viewport.window is None and span(view) == (low, high)


async def test_zooming_without_a_cursor_keeps_the_newest_in_view() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, *[IN] * 20)
        low, high = span(view)
        assert low < 1240 <= high and high - low >= 4


async def test_a_window_is_moved_and_stops_at_the_ends() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, IN, IN)
        low, high = span(view)
        await pilot.press(LEFT)
        assert span(view) == pytest.approx((low - (high - low) / 2, high - (high - low) / 2))
        await pilot.press(*[LEFT] * 9)
        assert span(view)[0] == 0
        await pilot.press(*[RIGHT] * 9)
        assert span(view)[1] == pytest.approx(1260, abs=20)
        await pilot.press("home")
        assert span(view)[0] == 0 and view.viewport.cursor == 1
        await pilot.press("end")
        assert span(view)[1] >= 1240 and view.viewport.cursor is None
        await pilot.press("f")
        assert view.viewport.window is None


async def test_a_window_with_the_newest_in_it_follows_and_another_stands_still() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, IN, IN)
        before = span(view)
        app.post_message(SnapshotReady(stage.snapshot(grown(stage.overfitting(), 2000))))
        await pilot.pause()
        after = span(view)
        assert after[0] <= 2000 <= after[1]
        assert after[1] - after[0] == pytest.approx(before[1] - before[0])
        await pilot.press(LEFT, LEFT)
        await pilot.pause()
        held = span(view)
        assert "fixed window" in text(app)
        app.post_message(SnapshotReady(stage.snapshot(grown(stage.overfitting(), 2600))))
        await pilot.pause()
        assert span(view) == held


async def test_g_shows_the_newest_part_and_all_again() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        whole = span(view)
        await pilot.press(IN, "g")
        assert view.viewport.window is None and span(view)[0] > 900
        await pilot.press("g")
        assert span(view) == whole
        await pilot.press("g", OUT, OUT, OUT, OUT)
        await pilot.pause()
        assert span(view) == whole and not app.charts.settings.recent


async def test_the_axis_may_change_and_the_cursor_stays_at_its_point() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        view.viewport.look_at(700)
        await pilot.press(IN, IN, "x")
        assert view.viewport.cursor == pytest.approx(0.7)
        assert (
            view.viewport.window is not None
            and view.viewport.window.low < 0.7 < view.viewport.window.high < 1.3
        )
        await pilot.press("x", "x")
        assert view.viewport.cursor == 700 and view.step == 700


@pytest.mark.parametrize("key", ["y", "plus", "minus", "0", "o", "a"])
async def test_the_look_changes_here_as_everywhere(key: str) -> None:
    app = stage.app(stage.snapshot(eventful()))
    async with app.run_test(size=(120, 40)) as pilot:
        # The range of one loss depends on that of the other where it is shared.
        view = await opened(pilot, *["n"] * (2 if key == "a" else 1))
        before = view.chart.picture
        await pilot.press(key)
        await pilot.pause()
        after = view.chart.picture
        assert before is not None and after is not None and before.rows != after.rows


async def test_the_marks_are_gone_through_and_said() -> None:
    app = stage.app(stage.snapshot(eventful()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        said = []
        for _ in range(9):
            await pilot.press("m")
            await pilot.pause()
            row = next(line for line in rows(app) if "esc back" in line)
            said.append((view.viewport.cursor, row.split("  esc")[0].strip("╰─ ")))
        assert said[:3] == [
            (40, "verdict warming up"),
            (120, "verdict healthy"),
            (400, "restart"),
        ]
        assert said[3:8] == [
            (600, "NaN"),
            (700, "min 1.382"),
            (801, "clipped 40.00"),
            (910, "verdict overfitting"),
            (1000, "checkpoint-1000 on disk"),
        ]
        assert said[8] == said[0]
        await pilot.press("M")
        assert view.viewport.cursor == 1000
        legend = rows(app)[-2]
        for word in ("verdict", "checkpoint", "restart", "not a number", "clipped", "min"):
            assert word in legend


async def test_a_mark_out_of_view_is_brought_into_view() -> None:
    app = stage.app(stage.snapshot(eventful()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, IN, IN, IN, "M", "M", "M")
        assert view.viewport.cursor is not None
        low, high = span(view)
        assert low <= view.viewport.cursor <= high and high - low < 200


async def test_of_many_marks_in_one_column_the_nearest_are_named() -> None:
    checkpoints = tuple((step, f"checkpoint-{step}") for step in range(500, 530))
    run = replace(stage.overfitting(), checkpoints=checkpoints)
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        view.viewport.look_at(505)
        await pilot.press("m")
        await pilot.pause()
        assert view.viewport.cursor == 506
        assert "checkpoint-506 on disk, checkpoint-505 on disk, checkpoint-507 on disk +" in text(
            app
        )


async def type_limits(pilot: Pilot[None], limits: str) -> None:
    names = {" ": "space", ".": "full_stop", ",": "comma", "-": "minus"}
    await pilot.press("e", *[names.get(char, char) for char in limits], "enter")
    await pilot.pause()


async def test_limits_are_typed() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        await type_limits(pilot, "x 200..1k, y 0.5..2")
        assert span(view) == (200, 1000)
        assert view.chart.frame is not None
        assert (view.chart.frame.y.low, view.chart.frame.y.high) == (0.5, 2)
        await type_limits(pilot, "y auto")
        assert view.viewport.values is None and span(view) == (200, 1000)
        await type_limits(pilot, "x 300..")
        assert span(view) == (300, 1000)
        await type_limits(pilot, "x auto")
        assert view.viewport.window is None


async def test_wrong_limits_are_told_and_lose_nothing() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        await type_limits(pilot, "x 200..1000")
        await type_limits(pilot, "y 1-2")
        assert "1-2: write low..high or auto" in text(app)
        assert view.entry.active and view.entry.text == "y 1-2"
        assert span(view) == (200, 1000)
        await pilot.press("backspace", "backspace", "full_stop", "full_stop", "2", "enter")
        assert view.viewport.values == (1, 2) and not view.entry.active
        await pilot.press("e", "x", "escape")
        assert view.viewport.values == (1, 2) and isinstance(app.screen, DetailScreen)


async def test_limits_below_zero_make_way_for_a_logarithmic_axis() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        await type_limits(pilot, "y -1..3")
        await pilot.press("y")
        assert view.chart.frame is not None and view.chart.frame.log
        assert 10**view.chart.frame.y.high < 3.5
        await pilot.press("y")
        assert view.chart.frame.y.low == -1


async def test_a_click_places_the_cursor_and_the_wheel_zooms_at_the_pointer() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        await pilot.click(view.chart, offset=(60, 10))
        place = view.viewport.cursor
        assert place is not None and 600 < place < 800
        cursor_column = next(
            x for x, char in enumerate(rows(app)[2]) if char == "│" and 6 < x < 119
        )
        assert cursor_column == 60
        before = span(view)
        await pilot._post_mouse_events([MouseScrollUp], view.chart, offset=(60, 10))
        await pilot.pause()
        near = span(view)
        assert near[1] - near[0] < before[1] - before[0] and near[0] < place < near[1]


async def test_the_footer_can_be_clicked_and_tells_the_keys_of_the_user() -> None:
    config = ScreenConfig(keys={"detail.mark": "z"})
    app = stage.app(stage.snapshot(eventful()), config=config)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        assert rows(app)[-1].startswith(" z mark  [ ] zoom  { } pan")
        await pilot.click("#keys", offset=(3, 0))
        assert view.viewport.cursor == 40
        await pilot.press("z")
        assert view.viewport.cursor == 120


async def test_a_learning_rate_is_not_smoothed() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "n", "n", "n")
        assert "learning rate" in text(app) and "ema" not in text(app)


async def test_a_run_without_losses_opens_its_first_metric() -> None:
    run = stage.without_eval()
    bare = replace(run, series=run.series[1:], train=None)
    app = stage.app(stage.snapshot(bare))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "learning rate" in text(app)


async def test_another_run_in_view_begins_anew() -> None:
    app = stage.app(stage.several())
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, IN, "left")
        app.post_message(SnapshotReady(Snapshot(time=stage.NOW)))
        await pilot.pause()
        assert faults(app) == []
        other = replace(stage.healthy(), path=stage.healthy().path / "other")
        app.post_message(SnapshotReady(stage.snapshot(other)))
        await pilot.pause()
        assert view.viewport.window is None and view.viewport.cursor is None


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("language, ascii", [("en", True), ("zh", False)])
async def test_the_detail_fits_every_size(language: str, ascii: bool) -> None:
    """What the keys lead to is shown at every size, in turns by one app or the other."""
    terminal = Terminal(colors=16, unicode=False) if ascii else Terminal()
    config = ScreenConfig(language=language)
    app = stage.app(stage.snapshot(eventful()), config=config, terminal=terminal)
    async with app.run_test(size=TINY) as pilot:
        view = await opened(pilot)
        for at, keys in enumerate(([], ["m", "m"], [IN, IN, LEFT], ["e", "x"])):
            await pilot.press(*keys)
            for size in (TINY, *SIZES)[(at + ascii) % 2 :: 2]:
                assert await wrong_at(pilot, app, size) == []
                assert not ascii or all(row.isascii() for row in rows(app))
                assert view.chart.size.height >= 2


async def test_nothing_is_painted_again_while_nothing_changes() -> None:
    app = stage.app(stage.snapshot(stage.overfitting()))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot)
        before = view.chart.picture
        app.post_message(SnapshotReady(stage.snapshot(replace(app.snapshot.runs[0], step=1241))))
        await pilot.pause()
        assert view.chart.picture is before
        await pilot.press("right")
        assert view.chart.picture is not before
