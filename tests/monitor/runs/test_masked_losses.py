"""Losses that were printed as 0.0 in place of NaN."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from lossmon.monitor import Monitor
from lossmon.monitor.runs.description import unmasked
from lossmon.types import Axis, Kind, Meaning, Series, Split
from tests.monitor.logs import append, record

LOSS = Meaning("train/loss", "train loss", Split.TRAIN, Kind.LOSS, lower_is_better=True)
NORM = Meaning("grad_norm", "grad norm", kind=Kind.GRAD_NORM)


def norms(values: list[float], axis: Axis = Axis.STEP) -> Series:
    bad = sum(not math.isfinite(value) for value in values)
    steps, known = np.arange(len(values)), np.array(values)
    return Series("grad_norm", NORM, axis=axis, steps=steps, values=known, n_nonfinite=bad)


def losses(values: list[float]) -> Series:
    return Series("loss", LOSS, steps=np.arange(len(values)), values=np.array(values), minimum=0.0)


def test_a_loss_of_zero_beside_a_broken_gradient_is_nan_and_no_minimum() -> None:
    series = losses([2.0, 0.0, 1.5, 0.0]), norms([1.0, 1.0, math.nan, math.nan])
    loss, same = unmasked(series, 0, None)
    np.testing.assert_array_equal(loss.values, [2.0, 0.0, 1.5, math.nan])
    assert (loss.n_nonfinite, loss.minimum, loss.maximum) == (1, 0.0, 2.0)
    assert math.isnan(loss.last)
    assert same is series[1]


def test_a_loss_of_zero_beside_a_sound_gradient_stays() -> None:
    for other in (norms([1.0, 1.0]), norms([math.nan, 1.0]), norms([1.0, math.nan], Axis.EPOCH)):
        series = losses([2.0, 0.0]), other
        assert unmasked(series, 0, None)[0] is series[0]
    assert unmasked(series, None, None) == series


def test_a_hidden_nan_is_neither_the_minimum_nor_the_best_eval(tmp_path: Path) -> None:
    lines = []
    for step in range(1, 61):
        broken = step > 40
        values = {"loss": 0.0 if broken else 2.0 / step, "grad_norm": math.nan if broken else 1.0}
        lines.append(record(step, **values))
        if step % 10 == 0:
            lines.append(record(step, eval_loss=0.0 if broken else 2.1 / step))
    append(tmp_path / "trainer_log.jsonl", lines)
    (run,) = Monitor([tmp_path]).drain().runs
    train, evals = run.train_loss, run.eval_loss
    assert train is not None and evals is not None and run.best is not None
    assert (train.min_step, train.n_nonfinite, evals.min_step, run.best.step) == (40, 20, 40, 40)
    verdict = run.diagnosis.verdict
    assert (verdict.code, verdict.variant, verdict.since_step) == ("non_finite", "masked", 41)
