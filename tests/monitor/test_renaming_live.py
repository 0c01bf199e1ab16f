"""What the user says of names while the run is watched holds as if it had been said before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lossmon.monitor import Monitor, MonitorConfig
from lossmon.types import JUST_SHOWN, Kind, MetricNames, RunSnapshot, Split


def log(path: Path, columns: dict[str, list[float]]) -> None:
    rows = [
        ",".join([str(step), *(f"{value:.5f}" for value in values)])
        for step, values in enumerate(zip(*columns.values(), strict=True), 1)
    ]
    path.write_text("\n".join([",".join(["step", *columns]), *rows]) + "\n")


def overfit(path: Path) -> None:
    """One name falls, the other turns; neither says what it is."""
    rng = np.random.default_rng(3)
    x = np.linspace(0, 1, 600)
    falling = 2 * np.exp(-4 * x) + 0.1 + rng.normal(0, 0.01, 600)
    turning = np.where(x < 0.4, 1.8 - 2 * x, 1.0 + 2.5 * (x - 0.4)) + rng.normal(0, 0.01, 600)
    log(path, {"alpha": falling.tolist(), "beta": turning.tolist(), "gamma": x.tolist()})


def parts(path: Path) -> None:
    """The parts of a detector's loss, and one that the user takes for the total."""
    x = np.linspace(0, 1, 300)
    curves = {"train/box_loss": 1 / (1 + x), "train/cls_loss": 2 / (1 + x), "mine": 1 - x / 2}
    log(path, {name: values.tolist() for name, values in curves.items()})


def twins(path: Path) -> None:
    x = np.linspace(0, 1, 300)
    log(path, {"loss": (2 - x).tolist(), "train_loss": (3 - 2.5 * x).tolist()})


def described(run: RunSnapshot) -> tuple[object, ...]:
    """All that a viewer sees but the arrays, and those by their sums."""
    series = [
        (one.tag, one.meaning, one.n, one.last, one.minimum, float(np.nansum(one.values)))
        for one in run.series
    ]
    return series, run.train, run.eval, run.diagnosis, run.best, run.ambiguous_tags, run.notes


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (overfit, {"train_loss": "alpha", "eval_loss": "beta"}),
        (overfit, {"eval_loss": ("elsewhere", "beta")}),
        (overfit, {"train_loss": "alpha", "eval_higher_is_better": ("beta", "gamma")}),
        (overfit, {JUST_SHOWN: ("alpha", "beta", "gamma")}),
        (parts, {"train_loss": "mine"}),
        (parts, {JUST_SHOWN: "train/cls_loss"}),
        (twins, {"train_loss": "train_loss", JUST_SHOWN: "loss"}),
        (twins, {"learning_rate": "loss", "grad_norm": "train_loss"}),
    ],
)
def test_an_answer_gives_the_verdict_that_the_setting_gives(
    tmp_path: Path, write: object, names: MetricNames
) -> None:
    assert callable(write)
    write(tmp_path / "metrics.csv")
    (wanted,) = Monitor([tmp_path], MonitorConfig(names)).drain().runs
    monitor = Monitor([tmp_path])
    (before,) = monitor.drain().runs
    monitor.set_metric_names(names)
    (after,) = monitor.drain().runs
    assert described(after) == described(wanted)
    assert described(after) != described(before)
    monitor.set_metric_names({})
    (again,) = monitor.drain().runs
    assert described(again) == described(before)


def test_the_verdict_is_made_anew(tmp_path: Path) -> None:
    overfit(tmp_path / "metrics.csv")
    monitor = Monitor([tmp_path])
    (before,) = monitor.drain().runs
    assert before.train is None
    monitor.set_metric_names({"train_loss": "alpha", "eval_loss": "beta"})
    (after,) = monitor.drain().runs
    assert after.diagnosis.verdict.code == "overfitting"
    assert after.ambiguous_tags == ()


def test_a_growing_run_is_judged_on_as_if_it_had_been_told_before(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    overfit(file)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:300]))
    monitor = Monitor([tmp_path])
    monitor.drain()
    monitor.set_metric_names({"train_loss": "alpha", "eval_loss": "beta"})
    monitor.drain()
    with file.open("a") as growing:
        growing.write("".join(lines[300:]))
    monitor.rescan()
    (grown,) = monitor.drain().runs
    (wanted,) = (
        Monitor([tmp_path], MonitorConfig({"train_loss": "alpha", "eval_loss": "beta"}))
        .drain()
        .runs
    )
    assert described(grown) == described(wanted)


def test_what_was_let_go_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossmon.store.run.THIN_FROM", 100)
    x = np.linspace(0, 1, 2000)
    log(tmp_path / "metrics.csv", {name: (2 - x).tolist() for name in ("alpha", "beta", "gamma")})
    monitor = Monitor([tmp_path], MonitorConfig(memory_budget=3000 * 32))
    (before,) = monitor.drain().runs
    assert sum(len(one) for one in before.series) < sum(one.n for one in before.series)
    monitor.set_metric_names({"train_loss": "alpha"})
    (after,) = monitor.drain().runs
    (wanted,) = Monitor([tmp_path], MonitorConfig({"train_loss": "alpha"})).drain().runs
    assert after.diagnosis == wanted.diagnosis
    assert after.train_loss is not None
    assert after.train_loss.n == 2000


def test_an_answer_about_one_run_changes_nothing_for_another(tmp_path: Path) -> None:
    for name, write in (("a", overfit), ("b", twins)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "metrics.csv")
    alone = [Monitor([tmp_path / "b"]).drain().runs[0]]
    monitor = Monitor([tmp_path])
    monitor.drain()
    monitor.set_metric_names({"train_loss": "alpha"})
    runs = {run.path.name: run for run in monitor.drain().runs}
    assert runs["a"].train_loss is not None
    assert described(replace(runs["b"], path=alone[0].path)) == described(alone[0])


def sorts() -> Iterator[tuple[str, Split, Kind, bool | None]]:
    for split in Split:
        yield f"{split}_higher_is_better", split, Kind.METRIC, False
        yield f"{split}_lower_is_better", split, Kind.METRIC, True
    yield JUST_SHOWN, Split.TRAIN, Kind.OTHER, None


@pytest.mark.parametrize(("word", "split", "kind", "lower"), list(sorts()))
def test_a_word_says_of_what_sort_any_number_of_series_are(
    tmp_path: Path, word: str, split: Split, kind: Kind, lower: bool | None
) -> None:
    twins(tmp_path / "metrics.csv")
    names = {word: ("loss", "train_loss")}
    (run,) = Monitor([tmp_path], MonitorConfig(names)).drain().runs
    found = {one.tag: one.meaning for one in run.series}
    assert {one.label for one in found.values()} == {"loss", "train_loss"}
    assert "train/loss" not in {one.key for one in found.values()}
    for meaning in found.values():
        assert (meaning.split, meaning.kind, meaning.lower_is_better) == (split, kind, lower)
        assert (meaning.part, meaning.secondary) == ("", False)
    assert run.train is None
    assert run.ambiguous_tags == ()
    assert math.isfinite(run.series[0].last)
