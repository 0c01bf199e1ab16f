"""Files that hold several real runs: each is shown as its framework's own interface tells it."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from lossmon.monitor import Monitor
from lossmon.types import Axis, RunSnapshot, RunState
from tests import paths

DATA = paths.DATA

STATES = {
    "FINISHED": (RunState.FINISHED, "according to the log"),
    "COMPLETE": (RunState.FINISHED, "according to the log"),
    "PRUNED": (RunState.FINISHED, "pruned"),
    "FAILED": (RunState.FAILED, "failed"),
    "KILLED": (RunState.FAILED, "killed"),
    "FAIL": (RunState.FAILED, "the trial failed"),
    "RUNNING": (RunState.RUNNING, ""),
}


def expected(family: str, name: str) -> list[dict[str, Any]]:
    """What the framework's own interface says of the runs, the newest first."""
    said = json.loads((DATA / family / "several.json").read_text())
    runs: list[dict[str, Any]] = said if isinstance(said, list) else said[name]
    return runs


def placed(family: str, name: str, directory: Path) -> Path:
    """A copy of a sample; a dump becomes the database that it is of."""
    if not name.endswith(".sql"):
        return Path(shutil.copy(DATA / family / name, directory / name))
    path = directory / name.replace(".sql", ".db")
    connection = sqlite3.connect(path)
    connection.executescript((DATA / family / name).read_text())
    connection.close()
    return path


SAMPLES = (
    ("mlflow", "several.sql"),
    ("trackio", "several.sql"),
    ("optuna", "study.db"),
    ("optuna", "journal.log"),
    ("optuna", "two_studies.log"),
)


@pytest.fixture(params=SAMPLES, ids="/".join)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    family, name = request.param
    return placed(family, name, tmp_path), expected(family, name)


def opened(path: Path) -> tuple[RunSnapshot, ...]:
    return Monitor([path]).drain().runs


def test_each_run_of_a_file_is_one_of_its_own_and_the_newest_is_first(
    sample: tuple[Path, list[dict[str, Any]]],
) -> None:
    path, runs = sample
    shown = opened(path)
    assert [run.name for run in shown] == [run["name"] for run in runs]
    assert shown[0].path == path
    assert len({run.path for run in shown}) == len(shown)
    assert all(run.path.parent == path for run in shown[1:])


def test_series_and_settings_are_what_the_framework_says(
    sample: tuple[Path, list[dict[str, Any]]],
) -> None:
    path, runs = sample
    for shown, run in zip(opened(path), runs, strict=True):
        series = {one.tag: one for one in shown.series}
        assert sorted(series) == sorted(run["series"])
        for tag, said in run["series"].items():
            one = series[tag]
            assert one.n == said["n"]
            if "last_step" in said:
                assert (one.first_step, one.last_step) == (said["first_step"], said["last_step"])
            if said["last"] is None:
                assert not math.isfinite(one.last)
            else:
                assert one.last == pytest.approx(said["last"], rel=1e-12)
        assert dict(shown.settings) == run["settings"]


def test_every_run_has_the_end_that_its_framework_gave_it(
    sample: tuple[Path, list[dict[str, Any]]],
) -> None:
    path, runs = sample
    newest = max(run.last_time or 0.0 for run in opened(path))
    shown = Monitor([path], clock=lambda: newest + 1.0).drain().runs
    for run, said in zip(shown, runs, strict=True):
        if "ended" in said:
            assert (run.state, run.state_reason) == STATES[said["ended"]], run.name


def test_what_is_maximised_is_never_judged_as_a_loss(tmp_path: Path) -> None:
    shown = opened(placed("optuna", "two_studies.log", tmp_path))
    maximised = [run for run in shown if run.name.startswith("big-accuracy")]
    assert len(maximised) == 6
    for run in maximised:
        assert (run.train, run.eval) == (None, None)
        assert [one.meaning.lower_is_better for one in run.series] == [False]
        expected = "study" if run.series[0].axis is Axis.TRIAL else "warming_up"
        assert run.diagnosis.verdict.code == expected


def test_what_the_trials_came_to_is_no_curve_of_a_loss(tmp_path: Path) -> None:
    shown = opened(placed("optuna", "study.db", tmp_path))
    study = shown[0]
    assert (study.train, study.eval, study.diagnosis.verdict.code) == (None, None, "study")
    assert shown[-1].eval_loss is not None and shown[-1].eval_loss.meaning.label == "eval objective"


def test_a_trial_that_ended_is_as_old_as_it_is_although_its_values_have_no_time(
    tmp_path: Path,
) -> None:
    shown = opened(placed("optuna", "two_studies.log", tmp_path))
    trials = [run for run in shown if "/trial " in run.name]
    assert all(run.last_time is not None and run.last_time < time.time() - 60 for run in trials)


def test_a_study_without_a_running_trial_has_ended(tmp_path: Path) -> None:
    path = placed("optuna", "two_studies.log", tmp_path)
    run = Monitor([path], clock=lambda: time.time() + 1.0).drain().runs[0]
    assert (run.state, run.state_reason) == (RunState.FINISHED, "according to the log")
