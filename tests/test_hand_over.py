"""The first frame stands before Textual is there, which then takes over the terminal unseen."""

from __future__ import annotations

import os
import shutil
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from textual.app import App

from benchmarks.terminal import Emulated, has_text
from lossmon.ui.hand_over import first_screen
from tests import paths
from tests.terminals import lossmon, patience, quiet

SAMPLE = paths.DATA / "hf_trainer" / "v5" / "overfit"
END = b"\x1b[?2026l"
"""Ends the first frame."""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "output")
    return tmp_path / "output"


TAKEN = b"\x1b[?1000h"
"""Written by the app as it begins."""

TRIES = 5
"""Starts of the program: on a busy machine the moment between both may be missed."""


@contextmanager
def drawn_first(output: Path, size: tuple[int, int] = (80, 24)) -> Iterator[Emulated]:
    """The program when the first frame is whole, and the app has not begun."""
    for _ in range(TRIES):
        with lossmon(str(output), size=size, COLUMNS="", LINES="") as terminal:
            end = time.monotonic() + patience()
            while END not in terminal.tail and TAKEN not in terminal.tail:
                assert terminal.pump(0.05), "it ended"
                assert time.monotonic() < end
            if TAKEN not in terminal.tail:
                yield terminal
                return
    pytest.fail("there was no first frame")


def test_nothing_that_the_first_frame_drew_changes(output: Path) -> None:
    with drawn_first(output, (120, 40)) as terminal:
        early = terminal.rows()
        assert any("OVERFITTING" in row for row in early)
        late = terminal.until(has_text("─ metrics ─"), most=patience(), quiet=quiet())
        assert has_text("─ metrics ─")(late)
        kept = [
            "".join(new if old != " " else " " for old, new in zip(*rows, strict=True))
            for rows in zip(early, late, strict=True)
        ]
        assert kept == early


def test_a_key_that_is_typed_into_the_first_frame_counts(output: Path) -> None:
    with drawn_first(output) as terminal:
        os.write(terminal.fd, b"d")
        opened = has_text("Why ")
        assert opened(terminal.until(opened, most=patience(), quiet=quiet()))


def test_another_size_is_painted_as_a_whole(output: Path) -> None:
    with drawn_first(output) as terminal:
        terminal.resize((60, 20))
        rows = terminal.until(has_text("diagnosis"), most=patience(), quiet=quiet())
        assert "OVERFITTING" in rows[1] and "q quit" in rows[19]


@pytest.mark.parametrize("ending", [None, signal.SIGTERM], ids=["key", "signal"])
def test_whatever_ends_it_early_leaves_the_terminal_as_it_was(
    output: Path, ending: signal.Signals | None
) -> None:
    for _ in range(TRIES):
        with drawn_first(output) as terminal:
            assert not termios.tcgetattr(terminal.fd)[3] & termios.ECHO
            if ending is None:
                os.write(terminal.fd, b"\x03")
            else:
                os.kill(terminal.pid, ending)
            status = terminal.ended(patience())
            assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO
        if TAKEN not in terminal.tail:
            break
    assert status == 128 + (ending or signal.SIGINT)
    assert terminal.tail.endswith(b"\x1b[?1049l\x1b[?25h")


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "swallowed"])
def test_a_signal_during_an_import_ends_the_program_whatever_became_of_its_exception(
    replaced: bool,
) -> None:
    terminal, program = os.openpty()
    with (
        os.fdopen(terminal),
        os.fdopen(program, "w") as output,
        pytest.raises(SystemExit, match="130"),
        first_screen((program, output), "") as first,
    ):
        with suppress(SystemExit):
            signal.raise_signal(signal.SIGINT)
        if replaced:
            raise RuntimeError("__set_name__")
        first.hand_to(App())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
