"""A last line that never gets its end is read once nobody writes any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lossmon.readers.text.reader import SILENCE, TextReader
from tests.readers.growing import Collected, read

LINES = [f"step {n} loss {3 - n / 10:.3f}" for n in range(1, 6)]


def quiet(path: Path, text: str) -> None:
    """Write a log long ago."""
    path.write_text(text)
    then = time.time() - SILENCE - 5
    os.utime(path, (then, then))


def losses(reader: TextReader, collected: Collected) -> list[tuple[int, float]]:
    collected.add(read(reader))
    return collected.values("loss")


def test_the_last_line_counts_once_the_log_is_quiet(tmp_path: Path) -> None:
    path, collected = tmp_path / "train.log", Collected()
    path.write_text("\n".join(LINES))
    reader = TextReader(path)
    assert losses(reader, collected)[-1] == (4, 2.6)
    quiet(path, "\n".join(LINES))
    assert losses(reader, collected)[-1] == (5, 2.5)
    assert losses(reader, collected)[-1] == (5, 2.5)


def test_its_end_may_come_later_and_it_counts_once(tmp_path: Path) -> None:
    path, collected = tmp_path / "train.log", Collected()
    quiet(path, "\n".join(LINES))
    reader = TextReader(path)
    losses(reader, collected)
    with path.open("a") as file:
        file.write("\nstep 6 loss 2.400\n")
    assert losses(reader, collected) == [(n, 3 - n / 10) for n in range(1, 7)]


@pytest.mark.parametrize("ending", ["7\n", "7\nstep 6 loss 2.400\n"])
def test_a_line_that_goes_on_after_all_is_read_as_it_became(tmp_path: Path, ending: str) -> None:
    path, collected = tmp_path / "train.log", Collected()
    quiet(path, "\n".join(LINES))
    reader = TextReader(path)
    assert losses(reader, collected)[-1] == (5, 2.5)
    with path.open("a") as file:
        file.write(ending)
    assert losses(reader, collected)[4] == (5, 2.5007)
    # It has shown that its lines come in pieces: it is not guessed at again.
    with path.open("a") as file:
        file.write("step 9 loss 2.1")
    then = time.time() - SILENCE - 5
    os.utime(path, (then, then))
    assert losses(reader, collected)[-1][0] < 9


def test_a_log_that_is_replaced_meanwhile_is_read_anew(tmp_path: Path) -> None:
    path, collected = tmp_path / "train.log", Collected()
    quiet(path, "\n".join(LINES))
    reader = TextReader(path)
    losses(reader, collected)
    path.unlink()
    quiet(path, "step 1 loss 9.000\nstep 2 loss 8.000")
    assert losses(reader, collected) == [(1, 9.0), (2, 8.0)]


def test_a_bar_that_stands_still_is_no_last_line(tmp_path: Path) -> None:
    path, collected = tmp_path / "train.log", Collected()
    bar = "\r 50%|#####     | 5/10 [00:05<00:05,  1.00it/s, loss=1.234]"
    quiet(path, "\n".join(LINES) + "\n" + bar)
    reader = TextReader(path)
    before = losses(reader, collected)
    assert losses(reader, collected) == before
