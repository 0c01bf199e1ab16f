"""The hardware view: every GPU over time, on the clock of the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lossmon.types import HardwareReading, Meaning, NodeReading, RunSnapshot, Snapshot
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.hardware import HardwareScreen, span_of, system_rank
from lossmon.ui.state.hardware_timeline import MOST, HardwareTimeline, system_series
from lossmon.ui.text.lines import plain
from lossmon.ui.widgets.hardware import dense_column, two_columns
from tests.ui import stage
from tests.ui.screen import text, wrong_at


def snapshot_at(time: float, load: float = 50.0) -> Snapshot:
    reading = HardwareReading((stage.gpu(0, utilization=load),))
    return replace(stage.snapshot(stage.healthy(), hardware=reading), time=time)


def with_system(run: RunSnapshot) -> RunSnapshot:
    """A run whose tracker recorded a GPU."""
    steps = np.arange(1, 101)
    names = {
        "gpu.0.gpu": 90.0,
        "gpu.0.memoryAllocated": 35.0,
        "gpu.0.powerWatts": 440.0,
        "cpu": 3.0,
    }
    recorded = (
        stage.series(Meaning(f"system/{name}", name), steps, np.full(100, value))
        for name, value in names.items()
    )
    return replace(run, series=(*run.series, *recorded))


def test_samples_are_kept_at_an_interval_and_thinned_when_they_are_many() -> None:
    timeline = HardwareTimeline()
    for second in range(3 * MOST):
        timeline.update(snapshot_at(stage.NOW + second, second % 100), None)
    track = timeline.tracks(snapshot_at(stage.NOW), None)[0]
    times, load = track.load
    assert 0 < len(times) == len(load) <= MOST
    assert times[0] == stage.NOW
    assert np.diff(times).min() >= 2.0


def test_the_nodes_of_a_run_count_before_this_machine() -> None:
    node = NodeReading("n1", stage.NOW, (stage.gpu(3),))
    run = replace(stage.healthy(), nodes=(node,))
    timeline = HardwareTimeline()
    timeline.update(stage.snapshot(run), run)
    tracks = timeline.tracks(stage.snapshot(run), run)
    assert [(one.node, one.reading.index) for one in tracks] == [("n1", 3)]


def test_recorded_gpus_have_their_load_and_memory_over_time() -> None:
    run = with_system(stage.healthy())
    reading = HardwareReading((stage.gpu(0, memory_used=None),), "recorded by wandb, just now")
    snapshot = stage.snapshot(run, hardware=reading)
    timeline = HardwareTimeline()
    timeline.update(snapshot, run)
    track = timeline.tracks(snapshot, run)[0]
    assert set(track.load[1]) == {90.0}
    assert set(track.memory[1]) == {35.0}
    others = sorted(system_series(run.series), key=system_rank)
    assert [one.meaning.label for one in others] == ["gpu.0.powerWatts", "cpu"]


@pytest.mark.parametrize(("known_for", "low"), [(600.0, 0.0), (10.0, 320.0)])
def test_the_axis_is_that_of_the_run_unless_its_gpus_are_known_for_little_of_it(
    known_for: float, low: float
) -> None:
    timeline = HardwareTimeline()
    for time in (stage.NOW - known_for, stage.NOW):
        timeline.update(snapshot_at(time), None)
    run = stage.healthy()
    span = span_of(run, timeline.tracks(snapshot_at(stage.NOW), None), stage.NOW - 620.0)
    assert span == (low, 620.0)


@pytest.mark.usefixtures("unpainted")
async def test_enter_on_the_panel_opens_every_gpu() -> None:
    app = stage.app(stage.SCENES["eight-gpus"]())
    async with app.run_test(size=(120, 40)) as pilot:
        assert isinstance(app.screen, Dashboard)
        app.screen.hardware.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, HardwareScreen)
        shown = text(app)
        assert "8 GPUs" in shown
        assert all(f"GPU{at}" in shown for at in range(8))
        assert "HW slowdown" in shown
        await pilot.click(app.screen.panes[1], offset=(20, 4))
        assert all(pane.chart.options.cursor for pane in (app.screen.loss, *app.screen.panes[:8]))
        await pilot.press("escape")
        assert app.screen.cursor is None
        for size in ((40, 15), (80, 24), (200, 50)):
            assert await wrong_at(pilot, app, size) == []
        await pilot.press("slash", *"gpu3", "enter")
        assert [pane.has_class("-unused") for pane in app.screen.panes[:2]] == [False, True]
        assert "/gpu3" in text(app)
        await pilot.press("escape")
        assert not app.screen.entry.text
        await pilot.resize_terminal(40, 15)
        await pilot.press("pagedown")
        await pilot.pause()
        assert app.screen.page == 1
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


async def test_without_gpus_there_is_nothing_to_open() -> None:
    app = stage.app(stage.SCENES["no-gpu"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("H", "H")
        assert isinstance(app.screen, Dashboard)
        assert [one.message for one in app._notifications] == ["no GPUs and no system metrics"]


async def test_a_view_of_a_run_does_not_open_before_there_is_one() -> None:
    app = stage.app(stage.SCENES["waiting"]())
    async with app.run_test(size=(80, 24)) as pilot:
        for key in "dmlhHrc":
            await pilot.press(key)
            assert isinstance(app.screen, Dashboard)
            assert [one.message for one in app._notifications] == ["no run yet"]


@pytest.mark.parametrize(("width", "height"), [(34, 20), (78, 4)])
def test_eight_gpus_all_have_load_memory_and_power(width: int, height: int) -> None:
    scene = stage.app(stage.SCENES["eight-gpus"]()).scene
    lines = (dense_column if width < 60 else two_columns)(scene, width, height)
    assert lines is not None
    assert len(lines) <= height
    whole = "\n".join(plain(line) for line in lines)
    assert all(f"GPU{at}" in whole for at in range(8))
    assert whole.count("W") - whole.count("HW") == 7
