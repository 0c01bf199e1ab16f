from __future__ import annotations

import os
import shutil
from pathlib import Path

from lossmon.monitor import Monitor
from lossmon.readers.comet.reader import CometReader
from lossmon.types import RunState
from tests.readers.growing import DATA, read

(SAMPLE,) = (DATA / "comet" / ".cometml-runs").glob("*.zip")


def test_each_archive_of_the_hidden_directory_is_a_run(tmp_path: Path) -> None:
    runs = tmp_path / ".cometml-runs"
    runs.mkdir()
    shutil.copy(SAMPLE, runs)
    shutil.copy(SAMPLE, runs / "another.zip")
    shown = Monitor([tmp_path]).drain().runs
    assert len(shown) == 2
    for run in shown:
        train, held_out = run.train_loss, run.eval_loss
        assert train is not None and (train.tag, train.n, train.last_step) == ("train/loss", 10, 9)
        assert held_out is not None and held_out.tag == "validate/loss"
        assert (run.state, dict(run.settings)) == (RunState.FINISHED, {"lr": "0.02"})


def test_an_archive_that_is_being_packed_is_waited_for(tmp_path: Path) -> None:
    path, content = tmp_path / "one.zip", SAMPLE.read_bytes()
    path.write_bytes(content[:-20])
    reader = CometReader(path)
    batch = read(reader)
    assert not batch.points and not batch.notes
    os.utime(path, (1, 1))
    assert "not a whole Comet archive" in read(reader).notes[0]
    path.write_bytes(content)
    assert {one.tag for one in read(reader).points} >= {"train/loss", "system/cpu.percent.avg"}


def test_an_archive_without_a_point_does_not_keep_the_monitor_busy(tmp_path: Path) -> None:
    (tmp_path / ".cometml-runs").mkdir()
    (tmp_path / ".cometml-runs" / "one.zip").write_bytes(SAMPLE.read_bytes()[:-20])
    monitor = Monitor([tmp_path])
    polls = [monitor.poll().busy for _ in range(5)]
    assert not polls[-1]
