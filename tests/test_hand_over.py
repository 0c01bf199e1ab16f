"""The first frame stands before Textual is there, which then takes over the terminal unseen."""

from __future__ import annotations

import os
import shutil
import signal
import termios
import time
from pathlib import Path

import pytest

from benchmarks.terminal import Emulated, has_text
from tests import paths
from tests.terminals import lossmon, patience, quiet

SAMPLE = paths.DATA / "hf_trainer" / "v5" / "overfit"
END = b"\x1b[?2026l"
"""Ends the first frame."""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "output")
    return tmp_path / "output"


def first_frame(terminal: Emulated) -> list[str]:
    """The screen when the first frame is whole, and the app has not begun."""
    end = time.monotonic() + patience()
    while END not in terminal.tail:
        assert terminal.pump(0.05), "it ended"
        assert time.monotonic() < end
    assert b"\x1b[?1000h" not in terminal.tail
    return terminal.rows()


def test_nothing_that_the_first_frame_drew_changes(output: Path) -> None:
    with lossmon(str(output), size=(120, 40)) as terminal:
        early = first_frame(terminal)
        assert any("OVERFITTING" in row for row in early)
        late = terminal.until(has_text("─ metrics ─"), most=patience(), quiet=quiet())
        assert has_text("─ metrics ─")(late)
        kept = [
            "".join(new if old != " " else " " for old, new in zip(*rows, strict=True))
            for rows in zip(early, late, strict=True)
        ]
        assert kept == early


def test_a_key_that_is_typed_into_the_first_frame_counts(output: Path) -> None:
    with lossmon(str(output)) as terminal:
        first_frame(terminal)
        os.write(terminal.fd, b"d")
        opened = has_text("Why ")
        assert opened(terminal.until(opened, most=patience(), quiet=quiet()))


@pytest.mark.parametrize("ending, status", [("key", 130), (signal.SIGTERM, 143)], ids=str)
def test_whatever_ends_it_early_leaves_the_terminal_as_it_was(
    output: Path, ending: signal.Signals | str, status: int
) -> None:
    with lossmon(str(output)) as terminal:
        before = termios.tcgetattr(terminal.fd)
        first_frame(terminal)
        assert termios.tcgetattr(terminal.fd) != before
        if isinstance(ending, signal.Signals):
            os.kill(terminal.pid, ending)
        else:
            os.write(terminal.fd, b"\x03")
        assert terminal.ended(patience()) == status
        assert termios.tcgetattr(terminal.fd) == before
    assert terminal.tail.endswith(b"\x1b[?1049l\x1b[?25h")
