"""The first frame stands before Textual is there, which then takes over the terminal unseen."""

from __future__ import annotations

import os
import shutil
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.terminal import Emulated, has_text
from tests import paths
from tests.terminals import lossmon, patience, wait

SAMPLE = paths.DATA / "hf_trainer" / "v5" / "overfit"
END = b"\x1b[?2026l"
"""Ends the first frame."""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "output")
    return tmp_path / "output"


GATE = """
import os, sys, time

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name == "textual":
            sys.meta_path.remove(self)
            open(os.environ["GATE"] + ".reached", "w").close()
            while not os.path.exists(os.environ["GATE"]):
                time.sleep(0.01)

sys.meta_path.insert(0, Gate())
"""
"""Holds the program back as it begins to import Textual."""


class Held:
    """The program held back as it imports Textual."""

    def __init__(self, terminal: Emulated, gate: Path) -> None:
        self.terminal, self._gate = terminal, gate

    def go_on(self) -> Emulated:
        """Let it import Textual."""
        self._gate.touch()
        return self.terminal


@contextmanager
def held(output: Path, size: tuple[int, int] = (80, 24), *, draws: bool = True) -> Iterator[Held]:
    """The program when it begins to import Textual; it draws before if there is one run."""
    place = output.parent / "gate"
    place.mkdir()
    (place / "sitecustomize.py").write_text(GATE)
    gate = place / "open"
    paths = {"PYTHONPATH": str(place), "GATE": str(gate)}
    with lossmon(str(output), size=size, COLUMNS="", LINES="", **paths) as terminal:
        end = time.monotonic() + patience()
        while not gate.with_suffix(".reached").exists() or (draws and END not in terminal.tail):
            assert terminal.pump(0.02), "it ended"
            assert time.monotonic() < end
        yield Held(terminal, gate)


def test_nothing_that_the_first_frame_drew_changes(output: Path) -> None:
    with held(output, (120, 40)) as program:
        early = program.terminal.rows()
        assert any("OVERFITTING" in row for row in early)
        late = wait(program.go_on(), has_text("─ metrics ─"))
        kept = [
            "".join(new if old != " " else " " for old, new in zip(*rows, strict=True))
            for rows in zip(early, late, strict=True)
        ]
        assert kept == early


def test_a_key_that_is_typed_into_the_first_frame_counts(output: Path) -> None:
    with held(output) as program:
        os.write(program.terminal.fd, b"d")
        wait(program.go_on(), has_text("Why "))


def test_another_size_is_painted_as_a_whole(output: Path) -> None:
    with held(output) as program:
        program.terminal.resize((60, 20))
        wait(
            program.go_on(),
            lambda rows: "OVERFITTING" in rows[1] and "q quit" in rows[19],
            has_text("diagnosis"),
        )


@pytest.mark.parametrize("key", [b"\x03", b""], ids=["key", "signal"])
@pytest.mark.parametrize("runs", [1, 2])
def test_whatever_ends_it_early_leaves_the_terminal_as_it_was(
    output: Path, key: bytes, runs: int
) -> None:
    if runs > 1:
        shutil.copytree(SAMPLE, output / "a" / "second")
        shutil.copytree(SAMPLE, output / "a" / "third")
    is_drawn = runs == 1
    with held(output, draws=is_drawn) as program:
        terminal = program.terminal
        assert bool(termios.tcgetattr(terminal.fd)[3] & termios.ECHO) is not is_drawn
        if key:
            os.write(terminal.fd, key)
        else:
            os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.ended(patience()) == 128 + (signal.SIGINT if key else signal.SIGTERM)
        assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    drawn = b"\x1b[?1049l\x1b[?25h" if is_drawn else b""
    assert terminal.tail.endswith(drawn) and (is_drawn or terminal.tail in (b"", b"^C"))
