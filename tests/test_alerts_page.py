"""Every command of docs/alerts.md, run on real files."""

from __future__ import annotations

import io
import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from tests.monitor.logs import append, falling, record
from tests.pages import is_for_a_shell, shown_commands
from tests.readme import ALERTS

COMMANDS = shown_commands(ALERTS)

STUBS = {
    "lossmon": f'exec "{sys.executable}" -m lossmon "$@"',
    "mail": "cat > mailed",
    "jq": "cat > filtered",
    "tmux": "exit 0",
    "page-me": "cat > paged",
    "notify-send": "exit 0",
}
"""Programs that the page names and a test machine may lack."""


def write_run(path: Path, total: int, *, is_bad: bool) -> None:
    path.mkdir(parents=True)
    lines = falling(1, 101, total)
    if is_bad:
        lines = falling(1, 51, total)
        for step in range(51, 101):
            lines.append(record(step, total, loss=float("nan")))
            lines += [record(step, total, eval_loss=float("nan"))] * (step % 10 == 0)
    append(path / "trainer_log.jsonl", lines)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory to work in, with stand-ins for the programs of others on the path."""
    for name, text in STUBS.items():
        file = tmp_path / ("page-me" if name == "page-me" else f"bin/{name}")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.fixture
def pid() -> Iterator[int]:
    """A process that waits for a signal."""
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait()


def test_the_commands_are_found() -> None:
    assert len(COMMANDS) >= 25
    assert any("| jq" in command for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_what_the_page_says(
    command: str, place: Path, pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = command.startswith("lossmon watch") or "--watch" in command
    for name in ("output", "runs/a"):
        write_run(place / name, 10_000 if goes_on else 100, is_bad=True)
    write_run(place / "runs/b", 10_000 if goes_on else 100, is_bad=False)
    command = command.replace("4242", str(pid)).replace("/tmp/", f"{place}/")
    if is_for_a_shell(command):
        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert ended.stderr == ""
        assert ended.returncode in (0, 1)
        return
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    if goes_on:
        ending = signal.SIGTERM if command.startswith("lossmon watch") else signal.SIGINT
        threading.Thread(target=end_after_output, args=(out, ending), daemon=True).start()
    # A shell that starts the tests in the background makes them ignore Ctrl+C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        status = main(shlex.split(command)[1:])
    except SystemExit as error:
        status = int(error.code or 0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert status in ((0, 130) if goes_on else (0, 1, 4))
    assert out.getvalue()
    if "--stop-file" in command:
        assert (place / "output/STOP").exists() or (place / "runs/a/STOP").exists()


def end_after_output(out: io.StringIO, number: signal.Signals) -> None:
    """Send this process a signal once something is printed: the command runs in it."""
    end = time.monotonic() + 30
    while not out.getvalue() and time.monotonic() < end:
        threading.Event().wait(0.02)
    # Early stopping comes right behind the alert.
    threading.Event().wait(0.1)
    os.kill(os.getpid(), number)
