"""A run that was watched while it grew shows what one shows who opens it afterwards."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.types import RunSnapshot
from tests import paths
from tests.monitor.replaying import Replay, essence

DATA = paths.DATA

RUNS = (
    "detectron2",
    "dvclive",
    "hf_trainer/v5/overfit",
    "keras",
    "lightning/nan",
    "llamafactory/resume",
    "mlflow/mlruns",
    "mmengine/resume",
    "optuna",
    "ray",
    "sb3",
    "tensorboard/keras",
    "tensorboard/torch_purge",
    "trackio",
    "wandb/v0.31_crash",
)


LATER = 1e7
"""Seconds after which both are silent for long: the end of a run is part of the verdict."""


def watched(source: Path, target: Path, seed: int) -> list[RunSnapshot]:
    passed = 0.0
    monitor = Monitor([target], clock=lambda: time.time() + passed)
    for turn, _ in enumerate(Replay(source, target, seed).steps()):
        if turn % 3 == 0:
            monitor.rescan()
        monitor.poll()
    monitor.rescan()
    passed = LATER
    return sorted(monitor.drain().runs, key=lambda run: run.path)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_was_watched_equals_one_that_is_opened_afterwards(
    name: str, seed: int, tmp_path: Path
) -> None:
    target = tmp_path / "output"
    live = watched(DATA / name, target, seed)
    monitor = Monitor([target], clock=lambda: time.time() + LATER)
    afterwards = sorted(monitor.drain().runs, key=lambda run: run.path)
    assert len(live) == len(afterwards)
    for one, other in zip(live, afterwards, strict=True):
        assert essence(one, history=True) == essence(other, history=True)
