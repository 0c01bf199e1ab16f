"""The user's own patterns through the whole pipeline."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lossmon.errors import ConfigError
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.types import RunSnapshot

ODD = r"<(?P<step>\d+)> (?P<loss>[\d.]+)(?: / (?P<eval_loss>[\d.]+))?$"


def drained(path: Path, **patterns: str) -> RunSnapshot:
    (run,) = Monitor([path], MonitorConfig(patterns=patterns)).drain().runs
    return run


@pytest.mark.parametrize("name", ["train.log", "notes.txt", "of_no_known_name"])
def test_a_log_that_nothing_recognises_is_read_by_the_pattern(tmp_path: Path, name: str) -> None:
    log = tmp_path / name
    log.write_text("hello\n<1> 2.5\n<2> 2.25 / 3.5\n<3> 2.0\n", encoding="utf-8")
    run = drained(log, mine=ODD)
    assert run.train_loss is not None and run.train_loss.values.tolist() == [2.5, 2.25, 2.0]
    assert run.eval_loss is not None and run.eval_loss.steps.tolist() == [2]


def test_the_first_pattern_that_fits_a_line_reads_it(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("<1> 2.5\n{2} 2.0\n", encoding="utf-8")
    run = drained(log, angles=ODD, braces=r"\{(?P<step>\d+)\} (?P<loss>\S+)")
    assert run.train_loss is not None and run.train_loss.values.tolist() == [2.5, 2.0]


def test_a_line_may_name_its_metrics_itself(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("7 loss->2.5 acc->0.5\n8 loss->2.0 acc->0.75\n", encoding="utf-8")
    run = drained(log, arrows=r"(?:^(?P<step>\d+) )?(?P<name>[a-z]+)->(?P<value>[\d.]+)")
    values = {one.tag: one.values.tolist() for one in run.series}
    assert values == {"loss": [2.5, 2.0], "acc": [0.5, 0.75]}
    assert run.step == 8


def test_other_formats_are_read_as_always(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step": 1, "loss": 2.5}\n', encoding="utf-8")
    assert drained(log, mine=ODD).sources == ("jsonl",)


def test_a_hostile_pattern_costs_a_second_and_is_told(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("a" * 80 + "!\nstep 1: loss 2.5\nstep 2: loss 2.0\n", encoding="utf-8")
    begin = time.monotonic()
    run = drained(log, evil=r"(?P<loss>(a+)+)$")
    assert time.monotonic() - begin < 20
    assert run.train_loss is not None and run.train_loss.values.tolist() == [2.5, 2.0]
    assert any("'evil'" in note and "not used" in note for note in run.notes)


@pytest.mark.parametrize("expression", ["(", r"(?P<step>\d+)", r"(?P<value>\d+)"])
def test_a_pattern_that_cannot_work_is_named(expression: str) -> None:
    with pytest.raises(ConfigError, match="'mine'"):
        Monitor([], MonitorConfig(patterns={"mine": expression}))
