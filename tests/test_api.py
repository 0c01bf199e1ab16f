"""The Python API."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lossmon
from tests import paths

STEPS = np.arange(400)
FALLING = 1 + 2 * np.exp(-STEPS / 60)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    rows = [{"step": step, "loss": loss} for step, loss in enumerate(FALLING.tolist())]
    rows += [{"step": step, "eval_loss": 1.5 + abs(step - 200) / 400} for step in range(0, 400, 40)]
    rows.sort(key=lambda row: row["step"])
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "metrics.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "args.yaml").write_text("peak_rate: 0.1\n", encoding="utf-8")
    (tmp_path / "checkpoint-200").mkdir()
    return tmp_path


def test_a_run_is_read_with_its_arrays(output: Path) -> None:
    (run,) = lossmon.read(output)
    assert isinstance(run, lossmon.Run)
    assert run.path == output and run.name == output.name and run.sources == ("jsonl",)
    assert run.step == 399 and run.state in ("running", "finished")
    assert list(run.series) == ["loss", "eval_loss"]
    np.testing.assert_array_equal(run.series["loss"].steps, STEPS)
    np.testing.assert_array_equal(run.series["loss"].values, FALLING)
    assert run.train_loss is run.series["loss"] and run.eval_loss is run.series["eval_loss"]
    assert run.best == lossmon.Best(200, 1.5, "checkpoint-200")
    assert run.checkpoints == ((200, "checkpoint-200"),)
    assert run.settings == {"peak_rate": "0.1"}
    assert run.verdict is run.diagnosis.verdict and run.verdict in run.findings
    assert run.errors == ()
    assert run.verdict.code in repr(run) and "step 399" in repr(run)


def test_a_run_says_what_check_says(output: Path) -> None:
    (run,) = lossmon.read(output)
    described = run.to_dict(points=True)
    assert described["series"]["loss"]["points"]["steps"] == STEPS.tolist()
    assert described["verdict"]["code"] == run.verdict.code
    assert described["verdict"]["evidence"] == lossmon.describe(run.verdict).evidence
    assert lossmon.describe(run.verdict, "zh") != lossmon.describe(run.verdict)


def test_several_paths_and_names_of_metrics_are_taken(output: Path) -> None:
    keras = paths.DATA / "keras"
    assert [run.path for run in lossmon.read([str(output), keras])] == [output, keras]
    (run,) = lossmon.read(str(output), metrics={"eval_loss": "loss", "train_loss": "eval_loss"})
    assert run.eval_loss is run.series["loss"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        lossmon.read(tmp_path / "none")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    errors = [error for run in lossmon.read(tmp_path) for error in run.errors]
    assert errors == [] or "study.db" in errors[0]


def test_a_table_has_a_row_per_point(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
    (run,) = lossmon.read(output)
    table: Any = run.to_pandas()
    assert list(table) == ["series", "split", "kind", "axis", "step", "wall_time", "value"]
    assert {len(column) for column in table.values()} == {410}
    assert table["series"].tolist() == ["loss"] * 400 + ["eval_loss"] * 10
    assert set(table["split"][400:]) == {"eval"} and set(table["kind"]) == {"loss"}
    np.testing.assert_array_equal(table["value"][:400], FALLING)


def test_a_run_without_series_has_an_empty_table() -> None:
    from lossmon.api import _columns

    assert {len(column) for column in _columns({}).values()} == {0}


def test_changes_are_followed(output: Path) -> None:
    log = output / "metrics.jsonl"
    runs = lossmon.follow(output, timeout=60)
    first = next(runs)
    assert first.step == 399

    def write() -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write('{"step": 400, "loss": 1.0}\n')

    timer = threading.Timer(0.1, write)
    timer.start()
    changed = next(run for run in runs if run.step == 400)
    timer.join()
    assert changed.series["loss"].n == 401
    assert first.series["loss"].n == 400
    runs.close()  # type: ignore[attr-defined]


def test_following_ends_with_its_time(tmp_path: Path) -> None:
    assert list(lossmon.follow(tmp_path / "none", timeout=0.2)) == []


def test_plain_sequences_are_judged() -> None:
    healthy = lossmon.diagnose(list(range(400)), FALLING.tolist())
    assert isinstance(healthy, lossmon.Diagnosis)
    assert healthy.verdict.severity is lossmon.Severity.OK
    broken = lossmon.diagnose(STEPS, np.where(STEPS < 300, FALLING, math.nan))
    assert broken.verdict.code == "non_finite" and broken.verdict.since_step == 300


def test_an_eval_loss_that_rises_is_overfitting() -> None:
    train = 3 * np.exp(-STEPS / 80) + 0.1
    at = np.arange(0, 400, 10)
    evals = 3 * np.exp(-at / 80) + 0.1 + np.maximum(0, at - 120) / 150
    diagnosis = lossmon.diagnose(STEPS, train, at, evals, total_steps=400)
    assert diagnosis.verdict.code == "overfitting"
    assert lossmon.diagnose(STEPS, train).verdict.code != "overfitting"


def test_the_same_points_get_the_same_verdict_as_a_log(output: Path) -> None:
    (run,) = lossmon.read(output)
    assert run.train_loss is not None and run.eval_loss is not None
    diagnosis = lossmon.diagnose(
        run.train_loss.steps, run.train_loss.values, run.eval_loss.steps, run.eval_loss.values
    )
    assert diagnosis.verdict == run.verdict
    assert diagnosis.history == run.diagnosis.history


def test_further_series_count_too() -> None:
    norms = np.where(STEPS < 300, 1.0, math.nan)
    diagnosis = lossmon.diagnose(STEPS, FALLING, metrics={"grad_norm": (STEPS, norms)})
    assert diagnosis.verdict != lossmon.diagnose(STEPS, FALLING).verdict


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1.0]), "2 steps, but 1 values"),
        (([[1]], [[1.0]]), "one dimension"),
        (([0.5], [1.0]), "whole numbers"),
        (([math.nan], [1.0]), "whole numbers"),
        ((["a"], [1.0]), "train/loss: steps must be numbers"),
        (([-1], [1.0]), "whole numbers"),
        (([1], [1.0], [1]), "belong together"),
    ],
)
def test_wrong_sequences_are_named(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lossmon.diagnose(*arguments)


def test_wrong_arguments_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="path must be a path or a sequence of paths, not NoneType"):
        lossmon.read(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"sensitivity must be from 0.5 to 2, not 9"):
        lossmon.read(tmp_path, sensitivity=9)
    (tmp_path / "train.log").write_text("step 1 loss 2.0\n")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        lossmon.read(tmp_path)[0].to_pandas()


def test_importing_lossmon_imports_nothing_else() -> None:
    code = "import sys, lossmon; print(*(name for name in sys.modules if 'numpy' in name))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_every_name_of_the_api_is_listed() -> None:
    for name in ("Run", "describe", "diagnose", "follow", "read", "Series", "LossmonError"):
        assert name in dir(lossmon)
        assert getattr(lossmon, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        lossmon.nothing  # noqa: B018
