"""The whole program in a real pseudo-terminal, on real logs."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.screen import write_log
from benchmarks.terminal import Emulated, has_curve, has_text, started
from tests import paths
from tests.terminals import Shows, lossmon, patience, wait

SAMPLE = paths.DATA / "hf_trainer" / "v5" / "overfit"
SIZES = [(40, 15), (80, 24), (120, 40), (200, 50)]


def has_all(*texts: str) -> Shows:
    """Whether every text is somewhere on the screen."""
    return lambda display: all(text in "\n".join(display) for text in texts)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "output")
    return tmp_path / "output"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_curves_and_verdict_are_there_at_every_size(output: Path, size: tuple[int, int]) -> None:
    with lossmon(str(output), size=size) as terminal:
        rows = wait(terminal, has_all("OVERFITTING", "train", "eval"), has_curve)
        assert "Traceback" not in "\n".join(rows)


def test_the_screen_shows_where_the_error_output_is_a_file(output: Path, tmp_path: Path) -> None:
    command = f'exec "{sys.executable}" -m lossmon "{output}" 2> "{tmp_path}/errors"'
    terminal = started(("sh", "-c", command), (80, 24), {"COLUMNS": "100000000"})
    try:
        wait(terminal, has_all("OVERFITTING", "q quit"))
    finally:
        terminal.end()
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.parametrize("term", ["screen-256color", "linux", "vt100"])
def test_every_terminal_shows_the_curves(output: Path, term: str) -> None:
    with lossmon(str(output), TERM=term, COLORTERM="") as terminal:
        is_ascii = term in ("linux", "vt100")
        rows = wait(
            terminal,
            has_all("OVERFITTING", "gap"),
            lambda rows: has_curve(rows) is not is_ascii,
        )
        assert all(row.isascii() for row in rows) is is_ascii


def colors(terminal: Emulated) -> set[tuple[str, str]]:
    """Foregrounds and backgrounds on the screen."""
    cells = [cell for row in terminal.screen.buffer.values() for cell in row.values()]
    return {(cell.fg, cell.bg) for cell in cells}


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb", "COLORTERM": ""}])
def test_no_colour_is_sent_where_none_is_wanted(output: Path, variables: dict[str, str]) -> None:
    with lossmon(str(output), **variables) as terminal:
        wait(terminal, has_text("OVERFITTING"))
        assert colors(terminal) == {("default", "default")}


def test_an_empty_no_color_is_not_set(output: Path) -> None:
    with lossmon(str(output), NO_COLOR="") as terminal:
        wait(terminal, has_text("OVERFITTING"))
        shades = {one for pair in colors(terminal) for one in pair if len(one) == 6}
        assert any(len({one[:2], one[2:4], one[4:]}) > 1 for one in shades), shades


def test_without_utf8_everything_is_ascii(output: Path) -> None:
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0"}
    with lossmon(str(output), python=("-X", "utf8=0"), **plain) as terminal:
        rows = wait(terminal, has_text("OVERFITTING"))
        assert all(line.isascii() for line in rows), "\n".join(rows)


def test_q_quits_and_leaves_the_terminal_as_it_was(output: Path) -> None:
    with lossmon(str(output)) as terminal:
        wait(terminal, has_curve)
        terminal.settle("q", quiet=0.0)
        assert terminal.ended(patience()) == 0
    for sequence in (b"[?1049l", b"[?25h", b"[?1000l", b"[?2004l"):
        # The alternate screen, a hidden cursor, the mouse and bracketed paste.
        assert b"\x1b" + sequence in terminal.tail


def test_a_suspended_screen_is_painted_again(output: Path) -> None:
    with lossmon(str(output)) as terminal:
        wait(terminal, has_curve)
        os.write(terminal.fd, b"\x1a")
        end = time.monotonic() + patience()
        while psutil.Process(terminal.pid).status() != psutil.STATUS_STOPPED:
            assert terminal.pump(0.05) and time.monotonic() < end
        terminal.settle()
        terminal.screen.reset()
        os.kill(terminal.pid, signal.SIGCONT)
        wait(terminal, has_all("OVERFITTING", "gap"))


@pytest.mark.parametrize("stopped", [True, False])
def test_a_continued_screen_is_painted_again_and_takes_keys(output: Path, stopped: bool) -> None:
    with lossmon(str(output)) as terminal:
        wait(terminal, has_curve)
        # Once a key counts, Textual has the terminal.
        os.write(terminal.fd, b"d")
        wait(terminal, has_text("Why "))
        terminal.settle()
        terminal.screen.reset()
        if stopped:
            os.kill(terminal.pid, signal.SIGSTOP)
        os.kill(terminal.pid, signal.SIGCONT)
        wait(terminal, has_text("Why "))
        os.write(terminal.fd, b"q")
        assert terminal.ended(patience()) == 0


def test_a_directory_that_is_still_empty_is_waited_for(tmp_path: Path) -> None:
    with lossmon(str(tmp_path)) as terminal:
        wait(terminal, has_text("waiting for"))
        write_log(tmp_path / "trainer_log.jsonl", 50)
        wait(terminal, has_curve)


def test_what_happens_to_the_files_never_ends_the_program(tmp_path: Path) -> None:
    log = tmp_path / "trainer_log.jsonl"
    write_log(log, 200)
    with lossmon(str(tmp_path)) as terminal:
        wait(terminal, has_curve)
        with log.open("ab") as file:
            file.write(b'{"current_steps": 201, "lo')
        log.write_bytes(b"")
        log.unlink()
        write_log(log, 60)
        wait(terminal, lambda rows: has_text("60/")(rows) or has_text("60 /")(rows), has_curve)
        assert terminal.status is None
