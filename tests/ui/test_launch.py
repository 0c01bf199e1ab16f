"""What the screen is opened with: little is imported first, the bells ring for every file."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.config import Config
from lossmon.monitor import Monitor
from lossmon.types import UNJUDGED
from lossmon.ui import launch
from lossmon.ui.follower import SnapshotReady
from lossmon.ui.terminal import Terminal
from lossmon.ui.views import DETAIL, MEDIA, VIEWS
from tests.monitor.logs import append, falling
from tests.ui import stage


@pytest.fixture
def output(tmp_path: Path) -> Path:
    log = tmp_path / "deep" / "er" / "trainer_log.jsonl"
    log.parent.mkdir(parents=True)
    append(log, falling(1, 21))
    return tmp_path


def test_the_first_look_reads_and_leaves_the_judging_for_later(output: Path) -> None:
    monitor = Monitor([output])
    first = monitor.poll(10.0, judge=False)
    (run,) = first.runs
    assert first.busy
    assert run.train_loss is not None and run.train_loss.n == 20
    assert run.diagnosis is UNJUDGED
    (judged,) = monitor.drain().runs
    assert judged.diagnosis is not UNJUDGED


def imported(statement: str) -> set[str]:
    """Modules that a fresh process has after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(told.stdout.split())


LATE = (
    "aiohttp",
    "lossmon.diagnosis.engine",
    "lossmon.hardware.findings",
    "lossmon.hardware.gpu",
    "lossmon.hardware.sampler",
    "lossmon.nodes.samples",
    "lossmon.readers.plugins",
    "lossmon.analysis.outputs",
    "lossmon.ui.compare",
    "lossmon.ui.key_catalogue",
    "lossmon.ui.state.ratings",
    "lossmon.ui.state.tag_answers",
    "lossmon.ui.export",
    "lossmon.reports",
    "tomlkit",
    "lossmon.ui.fleet",
    "lossmon.ui.widgets.metric_list",
    "lossmon.ui.web",
    "msgspec",
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
    look = f"LocalSource([Path({str(output)!r})]).poll(10.0, judge=False)"
    modules = imported(
        f"import lossmon.ui.app, lossmon.ui.launch; from pathlib import Path; "
        f"from lossmon.monitor import LocalSource; {look}"
    )
    assert "textual.app" in modules
    assert not modules.intersection(LATE)
    views = {view.factory.partition(":")[0] for view in (*VIEWS, *MEDIA.values(), DETAIL)}
    assert not modules.intersection(f"lossmon.ui.screens.{name}" for name in views)


def test_a_run_is_drawn_before_textual_is_imported(output: Path) -> None:
    modules = imported(
        f"from pathlib import Path; from lossmon.monitor import LocalSource; "
        f"from lossmon.ui.launch import frame_of; from lossmon.ui.scene import ScreenConfig; "
        f"known = LocalSource([Path({str(output)!r})]).drain(); import os; "
        f"os.environ.update(TERM='xterm-256color', LC_ALL='C.UTF-8'); "
        f"assert frame_of(ScreenConfig(initial=known), (120, 40))"
    )
    assert "lossmon.ui.launch" in modules
    assert "textual" not in modules and "asyncio" not in modules


def test_a_local_screen_runs_without_openssl() -> None:
    modules = imported(
        "from lossmon.ui import launch; launch._import_asyncio(); import textual.app"
    )
    assert "asyncio.sslproto" in modules
    assert "ssl" not in modules and "_ssl" not in modules
    modules = imported(
        "import lossmon.remote; from lossmon.ui.launch import _import_asyncio as go; go(); "
        "import asyncio"
    )
    assert "_ssl" in modules


def test_judging_imports_no_masked_arrays(output: Path) -> None:
    drain = f"Monitor([Path({str(output)!r})]).drain()"
    modules = imported(f"from pathlib import Path; from lossmon.monitor import Monitor; {drain}")
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


def test_an_unexpected_error_costs_the_first_frame_and_not_the_screen(
    output: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def surprise(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monitor = Monitor([output])
    monkeypatch.setattr(launch, "first_frame", surprise)
    monkeypatch.setattr(launch, "detect", Terminal)
    assert launch._usual_frame(monitor, Config()) is None
    monkeypatch.setattr(Monitor, "poll", surprise)
    reading = launch._Reading(monitor, judge=False)
    reading.start()
    assert reading.snapshot() is None
    assert [one.getMessage() for one in caplog.records] == ["internal error"] * 2
