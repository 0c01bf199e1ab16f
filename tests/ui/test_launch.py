"""What the screen is opened with: little is imported first, the bells ring for every file."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.types import UNJUDGED
from lossmon.ui.app import SnapshotReady
from lossmon.ui.launch import Live, Machine
from tests.monitor.logs import append, falling
from tests.ui import stage


@pytest.fixture
def output(tmp_path: Path) -> Path:
    log = tmp_path / "deep" / "er" / "trainer_log.jsonl"
    log.parent.mkdir(parents=True)
    append(log, falling(1, 21))
    return tmp_path


@pytest.fixture
def begun() -> list[str]:
    return []


@pytest.fixture
def changed() -> threading.Event:
    return threading.Event()


@pytest.fixture
def live(output: Path, begun: list[str], changed: threading.Event) -> Iterator[Live]:
    live = Live(Monitor([output]), [output], changed, lambda: begun.append("begun"))
    yield live
    live.stop()


def settled(live: Live) -> None:
    while live.poll(1.0).busy:
        pass


def test_what_may_wait_begins_once_and_after_the_first_poll(live: Live, begun: list[str]) -> None:
    assert begun == []
    settled(live)
    settled(live)
    assert begun == ["begun"]


def test_a_file_far_below_the_path_rings_the_bell(
    live: Live, output: Path, changed: threading.Event
) -> None:
    settled(live)
    settled(live)
    changed.clear()
    append(output / "deep" / "er" / "trainer_log.jsonl", falling(21, 22))
    assert changed.wait(10)


def test_nothing_new_gives_the_very_same_snapshot(live: Live) -> None:
    settled(live)
    assert live.poll(1.0) is live.poll(1.0)


def test_why_changes_come_late_is_told(tmp_path: Path, changed: threading.Event) -> None:
    missing = tmp_path / "later"
    live = Live(Monitor([missing]), [missing], changed, lambda: None)
    try:
        live.poll(1.0)
        first, second = live.poll(1.0), live.poll(1.0)
    finally:
        live.stop()
    assert any(str(missing) in note for note in first.notes)
    assert first is second


def test_nothing_begins_after_the_end(live: Live, begun: list[str]) -> None:
    live.stop()
    live.poll(1.0)
    assert begun == []


def test_the_first_look_reads_and_leaves_the_judging_for_later(output: Path) -> None:
    monitor = Monitor([output])
    first = monitor.poll(10.0, judge=False)
    (run,) = first.runs
    assert first.busy
    assert run.train_loss is not None and run.train_loss.n == 20
    assert run.diagnosis is UNJUDGED
    (judged,) = monitor.drain().runs
    assert judged.diagnosis is not UNJUDGED


def test_the_machine_is_empty_and_calm_before_it_is_sampled(tmp_path: Path) -> None:
    machine = Machine([tmp_path], threading.Event())
    machine.idle = True
    assert machine.idle
    assert machine.latest is machine.latest
    assert machine.latest.gpus == ()
    machine.stop()


def imported(statement: str) -> set[str]:
    """Modules that a fresh process has after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(told.stdout.split())


LATE = (
    "aiohttp",
    "lossmon.diagnosis.engine",
    "lossmon.hardware.gpu",
    "lossmon.hardware.sampler",
    "lossmon.analysis.outputs",
    "lossmon.ui.key_catalogue",
    "lossmon.ui.export",
    "lossmon.ui.fleet",
    "lossmon.ui.widgets.metric_list",
    "lossmon.ui.web",
    "numpy.ma",
    "plotext",
    "psutil",
    "pynvml",
    "sqlite3",
    "tensorboard",
    "textual_serve",
    "watchdog",
)
"""What the first frame does without."""


def test_the_first_frame_waits_for_nothing_that_it_does_not_show(output: Path) -> None:
    look = f"Monitor([Path({str(output)!r})]).poll(10.0, judge=False)"
    modules = imported(
        f"import lossmon.ui.app; from lossmon.ui.launch import Monitor, Path; {look}"
    )
    assert "textual.app" in modules
    assert not modules.intersection(LATE)
    views = {name for name in modules if name.startswith("lossmon.ui.screens.")}
    assert views == {"lossmon.ui.screens.dashboard", "lossmon.ui.screens.view"}


def test_judging_imports_no_masked_arrays(output: Path) -> None:
    drain = f"Monitor([Path({str(output)!r})]).drain()"
    modules = imported(f"from lossmon.ui.launch import Monitor, Path; {drain}")
    assert "lossmon.diagnosis.engine" in modules
    assert "numpy.ma" not in modules


async def test_a_snapshot_that_says_the_same_paints_nothing() -> None:
    known = stage.snapshot(stage.overfitting())
    async with stage.app(known).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        painted: list[object] = []

        def display(screen: object, update: object) -> None:
            if update is not None:
                painted.append(update)

        pilot.app._display = display  # type: ignore[method-assign]
        for _ in range(3):
            pilot.app.post_message(SnapshotReady(replace(known, time=known.time + 1)))
            await pilot.pause()
        assert painted == []
        pilot.app.post_message(SnapshotReady(stage.snapshot(stage.healthy())))
        await pilot.pause()
        assert painted
