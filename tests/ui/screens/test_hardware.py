"""The hardware view: every GPU over time, on the clock of the run."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.types import GpuProcess, HardwareReading, Meaning, NodeReading, RunSnapshot, Snapshot
from lossmon.ui.scene import Scene
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.hardware import HardwareScreen, span_of, system_rank
from lossmon.ui.state.hardware_timeline import MOST, GpuTrack, HardwareTimeline, system_series
from lossmon.ui.text.lines import plain, width
from lossmon.ui.widgets.gpu_loads import bars, column_loads
from lossmon.ui.widgets.hardware import dense_column, two_columns
from lossmon.ui.widgets.processes import table_lines
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
        await pilot.click(app.screen.grid.panes[1], offset=(20, 4))
        assert all(
            pane.chart.options.cursor for pane in (app.screen.loss, *app.screen.grid.panes[:8])
        )
        await pilot.press("escape")
        assert app.screen.cursor is None
        for size in ((40, 15), (80, 24), (200, 50)):
            assert await wrong_at(pilot, app, size) == []
        await pilot.press("v")
        await pilot.pause()
        rows = [line for line in text(app).splitlines() if line.startswith(" GPU")]
        assert [row.split()[0] for row in rows] == [f"GPU{at}" for at in range(8)]
        assert rows[0].rstrip()[-1] in "▁▂▃▄▅▆▇█"
        await pilot.press("p")
        await pilot.pause()
        assert "12347" in text(app)
        assert "this run" in text(app)
        assert not app.screen.grid.display
        await pilot.press("pagedown", "escape")
        assert app.screen.grid.display
        await pilot.press("slash", *"gpu3", "enter")
        assert [pane.has_class("-unused") for pane in app.screen.grid.panes[:2]] == [False, True]
        assert "/gpu3" in text(app)
        await pilot.press("escape")
        assert not app.screen.entry.text
        await pilot.resize_terminal(40, 15)
        await pilot.press("pagedown")
        await pilot.pause()
        assert app.screen.page == 1
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


def test_processes_give_up_columns_but_never_whose_they_are() -> None:
    ours = GpuProcess(7, "python", 3 << 30, True, "ann", "python train.py", 98.0, 9 << 30, 1.0)
    other = GpuProcess(1_234_567, "ollama", None)
    empty = np.empty(0), np.empty(0)
    track = GpuTrack("n1", stage.gpu(0, processes=(ours, other)), empty, empty)
    scene = Scene(replace(stage.snapshot(stage.healthy()), time=3601.0), now=3601.0)
    wide = [plain(line) for line in table_lines(scene, [track], 100)]
    assert wide[1].split() == [
        "0",
        "7",
        "ann",
        "3.0G",
        "98%",
        "9.0G",
        "1h",
        "←",
        "this",
        "run",
        "python",
        "train.py",
    ]
    assert wide[2].split() == ["0", "1234567", "ollama"]
    for room in range(10, 120):
        lines = table_lines(scene, [track], room)
        assert max(map(width, lines)) <= room
        assert room < 24 or "this run" in plain(lines[1])


@pytest.mark.parametrize(
    ("times", "loads", "shown"),
    [
        pytest.param([0, 10, 20, 30], [0, 50, 100, 100], "▁▄████", id="one per column"),
        pytest.param([0, 2, 4, 6], [100, 50, 0, 50], "▄▄    ", id="several in a column"),
        pytest.param([0, 20, 40], [10, 10, 90], "▁▁▁▁▇▇", id="held between samples"),
        pytest.param([25, 26], [100, 100], "  █   ", id="known for little of the time"),
        pytest.param([0, 10], [math.nan, math.nan], "      ", id="never known"),
    ],
)
def test_the_load_of_a_column_is_that_of_its_time(
    times: list[float], loads: list[float], shown: str
) -> None:
    edges = np.arange(0.0, 70.0, 10.0)
    found = column_loads(np.array(times, float), np.array(loads, float), edges)
    assert bars(found, " ▁▂▃▄▅▆▇█") == shown


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
