"""From a line of the log to its step on the chart, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lossmon.monitor.log_steps import LogSteps, moved_index
from lossmon.types import RunSnapshot
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.detail import DetailScreen
from lossmon.ui.screens.log import LogScreen
from tests.ui import stage
from tests.ui.test_app import text


def logged(*lines: str, **changes: object) -> RunSnapshot:
    """A run of 1,240 steps with a log."""
    return replace(stage.overfitting(), log=lines, **changes)  # type: ignore[arg-type]


def told(line: str, **changes: object) -> int | None:
    return LogSteps(logged(line, **changes)).step_of(0)


@pytest.mark.parametrize(
    "line, step",
    [
        ("step 700/3000 | loss 0.7 | lr 1e-4", 700),
        ("[2026-11-21 10:00:00] step: 1,100 loss: 0.61", 1100),
        (" 41%|████▏     | 1230/3000 [10:00<14:00, 2.1it/s]", 1230),
        ("Saving model checkpoint to ./output/checkpoint-800", 800),
        ("Some weights were newly initialized: 12 tensors", None),
        ("Downloading 1230/3000 files", None),
        ("", None),
    ],
)
def test_a_line_tells_its_step(line: str, step: int | None) -> None:
    assert told(line, checkpoints=((800, "checkpoint-800"),)) == step


def test_a_line_without_a_step_is_known_by_its_values() -> None:
    run = stage.overfitting()
    assert run.train_loss is not None
    loss = float(run.train_loss.values[876])
    assert told(f"{{'loss': {loss}, 'epoch': 0.88}}") == 877
    # Four digits fit several steps: the epoch says which of them.
    near = told(f"{{'loss': {loss:.4f}, 'epoch': 0.88}}")
    assert near is not None and abs(near - 877) <= 60


def test_an_epoch_alone_stands_for_its_steps() -> None:
    assert told("{'eval_loss': 99.5, 'epoch': 0.5}") == 500


def test_a_count_within_an_epoch_is_made_one_of_the_run() -> None:
    assert told("Epoch 2/3 [200/1000] loss: 9.123") == 1200


def test_a_line_that_tells_nothing_stands_below_one_that_does() -> None:
    steps = LogSteps(logged("hello", "step 100 loss 0.9", "Traceback", "  File", "step 300 loss 1"))
    assert [steps.step_at(line) for line in range(5)] == [100, 100, 100, 100, 300]
    assert LogSteps(logged("hello", "world")).step_at(1) is None


def test_the_line_of_a_step_is_the_nearest_and_after_a_restart_the_newer() -> None:
    lines = [f"step {step} loss 0.9" for step in (100, 200, 300, 200, 300, 400)]
    steps = LogSteps(logged(*lines))
    assert [steps.line_at(step) for step in (90, 210, 300, 1000)] == [0, 3, 4, 5]
    assert LogSteps(logged("hello")).line_at(5) is None


def test_a_chosen_line_is_found_again_when_older_ones_have_dropped_out() -> None:
    lines = tuple(f"line {'same' if n % 2 else n}" for n in range(10))
    newer = (*lines[3:], "new")
    assert moved_index(7, lines, newer) == 4
    assert moved_index(1, lines, newer) == 1
    assert moved_index(5, (), newer) == 5 and moved_index(5, lines, ()) == 0


LINES = tuple(
    f"step {step} loss {1 / step:.4f}" if step % 50 else f"RuntimeError: at {step}"
    for step in range(10, 1000, 10)
)


async def test_enter_on_a_line_opens_the_chart_there_and_l_leads_back() -> None:
    app = stage.app(stage.snapshot(logged(*LINES)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l", "up", "up", "up", "enter")
        await pilot.pause()
        view = app.screen
        assert isinstance(view, DetailScreen) and view.viewport.cursor == 960
        await pilot.press("shift+left", "shift+left", "l")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, LogScreen) and len(app.screen_stack) == 2
        assert view.viewport.cursor is not None and view.viewport.cursor < 900
        near = round(view.viewport.cursor / 10) * 10
        assert page.line == near / 10 - 1 and f"▸ step {near}" in text(app)


async def test_l_on_the_chart_opens_the_log_at_the_cursor_and_j_leads_back() -> None:
    app = stage.app(stage.snapshot(logged(*LINES)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        view = app.screen
        assert isinstance(view, DetailScreen)
        view.viewport.look_at(238)
        await pilot.press("l")
        await pilot.pause()
        assert "▸ step 240" in text(app)
        await pilot.press("down", "down", "J")
        await pilot.pause()
        assert app.screen is view and view.viewport.cursor == 260
        await pilot.press("l", "l")
        await pilot.pause()
        assert app.screen is view


async def test_without_a_cursor_the_log_opens_at_its_end() -> None:
    app = stage.app(stage.snapshot(logged(*LINES)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter", "l")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen) and app.screen.chosen is None
        assert "▸ step 990" in text(app)


async def test_a_log_that_tells_no_step_says_so() -> None:
    app = stage.app(stage.snapshot(logged("hello", "world")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l", "enter")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen) and "no line has a step" in text(app)
        await pilot.press("escape", "enter", "left", "l")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen) and "no line has a step" in text(app)


async def test_e_goes_from_error_to_error() -> None:
    app = stage.app(stage.snapshot(logged(*LINES)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l", "e")
        await pilot.pause()
        assert "▸ RuntimeError: at 50" in text(app)
        await pilot.press("e", "e")
        await pilot.pause()
        assert "▸ RuntimeError: at 150" in text(app)
        await pilot.press("E", "E", "E")
        await pilot.pause()
        assert "▸ RuntimeError: at 950" in text(app)


async def test_a_log_without_errors_says_so() -> None:
    app = stage.app(stage.snapshot(logged("hello")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l", "e")
        await pilot.pause()
        assert "no error in these lines" in text(app)


async def test_the_choice_moves_through_the_log_and_stays_at_its_line() -> None:
    run = logged(*LINES)
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l", "k")
        page = app.screen
        assert isinstance(page, LogScreen)
        assert page.line == len(LINES) - 2
        await pilot.press("pageup", "home", "j", "down")
        assert page.line == 2
        app.post_message(SnapshotReady(stage.snapshot(replace(run, log=(*LINES[1:], "new")))))
        await pilot.pause()
        assert page.line == 1 and "▸ step 30 " in text(app)
        await pilot.press("end")
        app.post_message(SnapshotReady(stage.snapshot(replace(run, log=(*LINES[2:], "a", "b")))))
        await pilot.pause()
        assert page.chosen is None and "▸ b" in text(app)
        await pilot.click(page.body, offset=(5, 3))
        assert page.line == page.body.top + 3
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


async def test_long_lines_scroll_sideways_and_a_match_scrolls_into_view() -> None:
    run = logged("short", "start " + "x" * 100 + " needle " + "y" * 60 + " end")
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        await pilot.pause()
        assert "→ scroll" in text(app) and " end" not in text(app)
        await pilot.press(*["right"] * 9)
        assert " end" in text(app) and "start" not in text(app)
        await pilot.press(*["left"] * 9)
        assert "start" in text(app)
        await pilot.press("/", *"needle", "enter")
        assert " needle y" in text(app).replace("…", " ")


async def test_a_log_that_fits_does_not_speak_of_scrolling() -> None:
    app = stage.app(stage.snapshot(logged("short")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        await pilot.pause()
        assert "→ scroll" not in text(app)


def test_a_log_of_numbers_is_read_in_a_moment() -> None:
    """Every line is read once, however often it is asked for."""
    steps = LogSteps(logged(*LINES))
    first = [steps.step_at(line) for line in range(len(LINES))]
    assert first == [steps.step_at(line) for line in range(len(LINES))]
    assert np.diff([step for step in first if step is not None]).min() >= 0


async def test_a_run_without_a_log_has_a_whole_frame() -> None:
    run = replace(stage.healthy(), log=(), log_name="")
    app = stage.app(stage.snapshot(run))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.press("l")
        await pilot.pause()
        assert "╭─ log ─" in text(app)
