"""The whole program in a real pseudo-terminal, on real logs."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.screen import write_log
from benchmarks.terminal import Cost, has_curve, has_text, run
from tests import paths

DATA = paths.DATA
SAMPLE = DATA / "hf_trainer" / "v5" / "overfit"
SIZES = [(40, 15), (80, 24), (120, 40), (200, 50)]
UTF8 = {"LC_ALL": "C.UTF-8"}


def watch(
    path: Path,
    *keys: str,
    size: tuple[int, int] = (80, 24),
    settle: float = 0.5,
    **environment: str,
) -> Cost:
    """Watch a path, type keys once curves are there, and see what becomes of it."""
    return run(
        [sys.executable, "-m", "lossmon", "--no-hardware", str(path)],
        shows=has_curve,
        size=size,
        settle=settle,
        seconds=1.0 + 0.2 * len(keys),
        keys=keys,
        environment={**UTF8, **environment},
    )


@pytest.fixture
def output(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "output")
    return tmp_path / "output"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_curves_and_verdict_are_there_at_every_size(output: Path, size: tuple[int, int]) -> None:
    cost = watch(output, size=size, settle=3.0)
    screen = "\n".join(cost.display)
    assert cost.shown is not None, screen
    assert "OVERFITTING" in screen
    assert "train" in screen
    assert "eval" in screen
    assert "Traceback" not in screen


@pytest.mark.parametrize("term", ["screen", "screen-256color", "linux", "xterm-256color", "vt100"])
def test_every_terminal_shows_the_curves(output: Path, term: str) -> None:
    cost = watch(output, TERM=term, COLORTERM="", settle=3.0)
    screen = "\n".join(cost.display)
    assert "OVERFITTING" in screen
    assert "gap" in screen


def test_no_colour_is_sent_where_none_is_wanted(output: Path) -> None:
    cost = watch(output, NO_COLOR="1", settle=3.0)
    assert has_text("OVERFITTING")(cost.display)


def test_without_utf8_everything_is_ascii(output: Path) -> None:
    cost = run(
        [sys.executable, "-X", "utf8=0", "-m", "lossmon", "--no-hardware", str(output)],
        shows=has_text("OVERFITTING"),
        settle=3.0,
        seconds=0.5,
        environment={"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0"},
    )
    assert cost.shown is not None, "\n".join(cost.display)
    assert all(line.isascii() for line in cost.display), "\n".join(cost.display)


def test_q_quits_and_leaves_the_terminal_as_it_was(output: Path) -> None:
    cost = run(
        [sys.executable, "-m", "lossmon", "--no-hardware", str(output)],
        shows=has_curve,
        settle=3.0,
        seconds=10.0,
        keys=["q"],
        environment=UTF8,
    )
    assert cost.status == 0


def test_a_directory_that_is_still_empty_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "trainer_log.jsonl"
    writer = threading.Timer(3.0, write_log, (log, 50))
    writer.start()
    try:
        cost = run(
            [sys.executable, "-m", "lossmon", "--no-hardware", str(tmp_path)],
            shows=has_text("waiting for"),
            settle=3.0,
            seconds=5.0,
            environment=UTF8,
        )
    finally:
        writer.join()
    assert cost.shown is not None
    assert has_curve(cost.display), "\n".join(cost.display)


def test_what_happens_to_the_files_never_ends_the_program(tmp_path: Path) -> None:
    log = tmp_path / "trainer_log.jsonl"
    write_log(log, 200)

    def disturb() -> None:
        with log.open("ab") as file:
            file.write(b'{"current_steps": 201, "lo')
        log.write_bytes(b"")
        log.unlink()
        write_log(log, 60)

    later = threading.Timer(3.0, disturb)
    later.start()
    try:
        cost = watch(tmp_path, settle=6.0)
    finally:
        later.join()
    assert cost.status is None
    assert has_curve(cost.display), "\n".join(cost.display)
    assert has_text("60/")(cost.display) or has_text("60 /")(cost.display), cost.display
