"""Exported runs give the same points when they are read again."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lossmon import cli
from lossmon.commands import export
from lossmon.monitor import Monitor
from lossmon.reports.export.formats import EXPORT_FORMATS
from lossmon.types import Axis, RunSnapshot
from tests import paths

SAMPLES = ("llamafactory/sft", "keras", "hf_trainer/v5/overfit", "wandb", "text/nanogpt.log")

SINGLE = 2e-7
"""Relative error of single precision, in which event files hold values."""


def read(path: Path) -> list[RunSnapshot]:
    return [run for run in Monitor([path]).drain().runs if run.series]


def assert_same(before: RunSnapshot, after: RunSnapshot, rtol: float) -> None:
    assert len(before.series) == len(after.series)
    for one in before.series:
        # The CSV reader puts the split before the tag.
        names = (one.tag, f"{one.meaning.split}/{one.tag}")
        (again,) = (other for other in after.series if other.tag in names)
        assert again.steps.tolist() == one.steps.tolist(), one.tag
        np.testing.assert_allclose(again.values, one.values, rtol=rtol, err_msg=one.tag)
        if np.isfinite(one.wall_times).all():
            np.testing.assert_allclose(again.wall_times, one.wall_times, rtol=1e-12)
        assert again.meaning.kind is one.meaning.kind


def exported(out: Path, format_: str, *arguments: str) -> list[Path]:
    assert cli.main(["export", *arguments, "--format", format_, "--out", str(out)]) == 0
    return sorted(out.iterdir())


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("format_", ["tensorboard", "csv", "jsonl"])
def test_what_is_exported_is_read_again(sample: str, format_: str, tmp_path: Path) -> None:
    runs = read(paths.DATA / sample)
    written = exported(tmp_path / "out", format_, str(paths.DATA / sample))
    assert len(written) == len(runs) > 0
    by_name = {run.name.replace("/", "-"): run for run in runs}
    for path in written:
        (again,) = read(path)
        before = by_name[path.name.removesuffix(f".{format_}")]
        assert_same(before, again, SINGLE if format_ == "tensorboard" else 0)


def test_hyperparameters_are_in_the_event_file(tmp_path: Path) -> None:
    (path,) = exported(tmp_path / "tb", "tensorboard", str(paths.DATA / "wandb" / "v0.19"))
    (before,), (after,) = read(paths.DATA / "wandb" / "v0.19"), read(path)
    assert before.settings
    assert dict(after.settings) == dict(before.settings)


@pytest.mark.parametrize("name", ["tensorboard", "csv", "jsonl"])
def test_settings_files_are_read_too(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n', encoding="utf-8")
    (run / "args.yaml").write_text("peak_rate: 0.1\nname: x\nfast: true\n", encoding="utf-8")
    (path,) = exported(tmp_path / "out", name, str(run))
    (again,) = read(path)
    if name == "tensorboard":
        assert dict(again.settings) == {"peak_rate": "0.1", "name": "x", "fast": "true"}


def test_odd_values_survive(tmp_path: Path) -> None:
    lines = ['{"step": 1, "loss": NaN}', '{"step": 2, "loss": Infinity}', '{"step": 2, "loss": 1}']
    log = tmp_path / "metrics.jsonl"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("tensorboard", "csv", "jsonl"):
        (path,) = exported(tmp_path / name, name, str(log))
        (run,) = read(path)
        values = run.series[0].values
        assert math.isnan(values[0]) and values[1:].tolist() == [math.inf, 1.0]


def test_a_key_of_json_lines_that_is_a_position_keeps_its_values(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss\n0,2.0\n1,1.5\n2,1.25\n", encoding="utf-8")
    (path,) = exported(tmp_path / "out", "jsonl", str(log))
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(one["epoch"], one["loss"]) for one in records] == [(0, 2.0), (1, 1.5), (2, 1.25)]
    (run,) = read(path)
    assert run.train_loss is not None and run.train_loss.axis is Axis.EPOCH


def test_only_the_series_that_fit_are_written(tmp_path: Path) -> None:
    (path,) = exported(tmp_path / "out", "jsonl", str(paths.DATA / "keras"), "--metric", "*ACC*")
    keys = set(json.loads(path.read_text(encoding="utf-8").splitlines()[0]))
    assert keys == {"epoch", "accuracy", "val_accuracy"}


def test_a_pattern_that_fits_nothing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(paths.DATA / "keras"), "--metric", "nothing*"]
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "no series matches --metric nothing*" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["tensorboard", "csv", "jsonl"])
def test_what_is_there_already_is_left_alone(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = exported(tmp_path, name, str(paths.DATA / "keras"))
    before = sorted(tmp_path.rglob("*"))
    arguments = ["export", str(paths.DATA / "keras"), "--format", name, "--out", str(tmp_path)]
    assert cli.main(arguments) == 2
    assert str(path) in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_runs_of_one_name_get_numbers(tmp_path: Path) -> None:
    for place in ("a/run", "b/run"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "log.jsonl").write_text('{"step": 1, "loss": 2.5}\n', "utf-8")
    names = exported(tmp_path / "out", "csv", str(tmp_path / "a/run"), str(tmp_path / "b/run"))
    assert [path.name for path in names] == ["run.csv", "run_2.csv"]


def test_nothing_to_export_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ["export", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 3
    assert "no metrics found" in capsys.readouterr().err


def test_the_parser_and_the_table_name_the_same_formats() -> None:
    assert tuple(EXPORT_FORMATS) == export.FORMATS


@pytest.mark.parametrize("format_", ["tensorboard", "csv", "jsonl"])
def test_exports_of_several_runs_stay_several_runs(format_: str, tmp_path: Path) -> None:
    for name in ("损失", "b"):
        rows = "".join(f"{step},{2 - step / 10},{3 - step / 10}\n" for step in range(8))
        (tmp_path / f"{name}.csv").write_text(f"step,train_loss,val_loss\n{rows}", "utf-8")
    exported(tmp_path / "out", format_, str(tmp_path / "损失.csv"), str(tmp_path / "b.csv"))
    names = {run.name.partition(".")[0] for run in read(tmp_path / "out")}
    assert names == {"损失", "b"}
