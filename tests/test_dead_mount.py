"""A network file system that is dead before lossmon starts: a real mount that answers nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.terminal import Emulated, has_text, started
from tests.services.program import PATIENCE
from tests.services.stuck_mount import stuck
from tests.terminals import patience, quiet

LOSSMON = (sys.executable, "-m", "lossmon")


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Commands at work on mounts of their own, by what they are; they wait at the same time."""
    lines = {
        "stat": ("check", str(tmp_path)),
        "list": ("watch", str(tmp_path), "--state", str(tmp_path.parent / "journal")),
        "doctor": ("doctor", str(tmp_path)),
        "once": (str(tmp_path / "run"), "--once"),
    }
    started = {
        name: subprocess.Popen(
            stuck(tmp_path, "list" if name == "list" else "stat", *LOSSMON, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, arguments in lines.items()
    }
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Emulated]:
    """The screen in a terminal of its own, on a mount of its own."""
    command = stuck(tmp_path, "stat", *LOSSMON, str(tmp_path))
    terminal = started(command, (160, 30), {"LC_ALL": "C.UTF-8"})
    yield terminal
    terminal.end()


def test_a_mount_that_is_dead_at_the_start_is_named(
    commands: dict[str, subprocess.Popen[str]], screen: Emulated, tmp_path: Path
) -> None:
    named = f"{tmp_path} (fuse) has not answered"
    shown = screen.until(has_text("not answered"), most=patience(), quiet=quiet())
    # The line breaks where the name of the directory is long.
    assert "".join(named.split()) in "".join("".join(shown).split()), "\n".join(shown)
    screen.settle("q")
    assert screen.ended(patience()) == 0, "q quits"
    examined, _ = commands["doctor"].communicate(timeout=PATIENCE)
    assert f"{named} for 5 s" in examined and commands.pop("doctor").returncode == 1
    for name, process in commands.items():
        out, said = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (2, ""), name
        assert f"{named} for 5 s: the file system may be down" in said, name
