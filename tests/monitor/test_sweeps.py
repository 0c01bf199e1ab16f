"""Sweeps are judged as the studies that they are."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lossmon.diagnosis.advice import advise
from lossmon.monitor.monitor import Monitor
from lossmon.monitor.studies import Sweeps, study_of
from lossmon.readers.tags.meaning import meaning
from lossmon.types import RunSnapshot, RunState, Series
from tests import paths
from tests.readers.databases.transaction_logs import history, logged, message

HEADER = b":W&B\xe1\xbe\x00"


def trial(number: int, state: RunState = RunState.FINISHED, /, **results: float) -> RunSnapshot:
    series = [
        Series(tag, meaning(tag), n=1, last=value, minimum=value, maximum=value)
        for tag, value in results.items()
    ]
    losses = [place for place, one in enumerate(series) if one.meaning.key == "eval/loss"]
    return RunSnapshot(
        name=f"trial-{number}",
        path=Path("wandb", f"run-{number}"),
        state=state,
        series=tuple(series),
        eval=losses[0] if losses else None,
        sweep="s1",
    )


def evidence(*trials: RunSnapshot) -> str:
    return advise(study_of("s1", trials).diagnosis.verdict).evidence


@pytest.mark.parametrize(
    ("results", "shown"),
    [
        ([{"val_loss": 0.5}, {"val_loss": 0.4}, {"val_loss": 0.6}], "eval loss 0.400 in trial-2"),
        ([{"val_acc": 0.5}, {"val_acc": 0.4}, {"val_acc": 0.6}], "eval accuracy 0.600 in trial-3"),
        ([{"val_acc": 0.9, "val_loss": 2.0}, {"val_loss": 1.0}], "eval loss 1.00 in trial-2"),
    ],
)
def test_the_best_run_is_that_with_the_best_value_of_what_most_lead_with(
    results: list[dict[str, float]], shown: str
) -> None:
    trials = [trial(number, **own) for number, own in enumerate(results, 1)]
    assert f"best {shown}, run" in evidence(*trials)


def test_a_study_counts_failed_runs_and_those_since_the_best() -> None:
    trials = [
        trial(1, val_loss=0.3),
        trial(2, RunState.FAILED),
        trial(3, val_loss=0.4),
        trial(4, RunState.RUNNING, val_loss=0.5),
    ]
    assert (
        evidence(*trials) == "best eval loss 0.300 in trial-1, run 1 of 4; 2 runs since; 1 failed"
    )
    assert study_of("s1", trials).state is RunState.RUNNING
    assert study_of("s1", trials[:3]).state is RunState.FINISHED


def test_a_sweep_without_a_result_says_so() -> None:
    failed = [trial(number, RunState.FAILED) for number in (1, 2)]
    assert evidence(*failed) == "none of 2 trials has a finite result; 0 pruned, 2 failed"


def test_a_series_without_a_finite_value_is_no_result() -> None:
    first = trial(1, val_loss=0.3)
    nothing = replace(first.series[0], minimum=math.nan, maximum=math.nan)
    twins = replace(first, series=(nothing, *first.series), eval=1)
    shown = evidence(twins, replace(first, name="trial-2", series=(nothing,)))
    assert shown == "best eval loss 0.300 in trial-1, run 1 of 2; 0 runs since; 0 failed"


def test_the_study_is_the_same_object_until_a_run_changes() -> None:
    sweeps = Sweeps()
    alone = replace(trial(9, loss=1.0), sweep="s2")
    runs = (alone, trial(1, val_loss=0.3), trial(2, val_loss=0.4))
    shown = sweeps.added(runs)
    assert [run.name for run in shown] == ["trial-9", "sweep s1", "trial-1", "trial-2"]
    assert sweeps.added(runs)[1] is shown[1]
    changed = (*runs[:2], replace(runs[2], state=RunState.FAILED))
    assert sweeps.added(changed)[1] is not shown[1]


def test_runs_of_one_sweep_id_are_a_study(tmp_path: Path) -> None:
    for number, loss in enumerate(("0.5", "0.25", "0.75")):
        run = message(17, message(1, b"r%d" % number) + message(12, b"s1"))
        log = tmp_path / "wandb" / f"run-20260101_00000{number}-r{number}" / f"run-r{number}.wandb"
        log.parent.mkdir(parents=True)
        log.write_bytes(logged(HEADER, run, history(_step="1", val_loss=loss)))
    study, *trials = Monitor([tmp_path]).drain().runs
    assert (study.name, len(trials)) == ("sweep s1", 3)
    assert study.diagnosis.verdict.facts["best"] == 0.25


def test_the_study_of_ray_says_which_of_its_trials_ended(tmp_path: Path) -> None:
    (state,) = (paths.DATA / "ray_study").glob("*.json")
    shutil.copy(state, tmp_path)
    for number in (0, 2, 7):
        directory = tmp_path / f"train_a1b2c_{number:05}_{number}_lr=0.1000_2026-11-21_19-23-47"
        directory.mkdir()
        shutil.copy(paths.DATA / "ray" / "result.json", directory)
    study, *trials = Monitor([tmp_path], clock=lambda: 1795221320.0).drain().runs
    assert study.diagnosis.verdict.code == "study"
    assert [run.state for run in trials] == [RunState.FINISHED, RunState.FAILED, RunState.RUNNING]
