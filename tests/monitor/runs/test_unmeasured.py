"""Placeholders of evaluations that were not done, and values that only look like them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossmon.monitor.runs.unmeasured import LONGEST_GAP_EPOCHS, UnmeasuredValues
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Axis, Points

NAN = math.nan


def points(tag: str, values: list[float], axis: Axis, first: int = 0) -> Points:
    rows = np.arange(first, first + len(values))
    return Points(tag, rows, rows * 1.0, np.array(values, float), rows, axis)


def left(
    tag: str, evals: list[float], train: list[float] | None = None, axis: Axis = Axis.STEP
) -> list[float]:
    """What is left of the values of an eval tag beside a train loss, read in two parts."""
    kept: list[float] = []
    filters = UnmeasuredValues()
    beside = [0.5] * len(evals) if train is None else train
    for part in (slice(0, 4), slice(4, None)):
        batch = [
            points(name, values[part], axis, part.start)
            for name, values in (("train_loss", beside), (tag, evals))
        ]
        found = filters.without(1, [(one, meaning(one.tag)) for one in batch])
        kept += [value for one, _ in found if one.tag == tag for value in one.values.tolist()]
    return kept


@pytest.mark.parametrize("filler", [NAN, math.inf, -1.0, 0.0])
def test_what_stands_between_evaluations_is_no_loss(filler: float) -> None:
    rows = [filler] * 3 + [0.9] + [filler] * 3 + [0.8] + [filler] * 2
    assert left("val_loss", rows) == [0.9, 0.8]


def test_an_accuracy_of_zero_is_measured() -> None:
    rows = [0.0, 0.0, -1.0, 0.4, NAN, NAN]
    assert left("val_acc", rows) == pytest.approx(rows, nan_ok=True)


def test_the_train_loss_may_stand_on_the_line_before() -> None:
    filters = UnmeasuredValues()
    train, evaluated = points("train_loss", [0.5], Axis.STEP), points("val_loss", [NAN], Axis.STEP)
    assert filters.without(1, [(train, meaning(train.tag))])
    assert not filters.without(1, [(evaluated, meaning(evaluated.tag))])
    filters.clear(1)
    assert filters.without(1, [(evaluated, meaning(evaluated.tag))])


@pytest.mark.parametrize(
    ("evals", "train", "axis"),
    [
        pytest.param([0.9, 0.8, 0.7, NAN, NAN, NAN], None, Axis.EPOCH, id="measured each time"),
        pytest.param([NAN] * 6, [NAN] * 6, Axis.STEP, id="the train loss is NaN as well"),
        pytest.param([NAN, 0.9, 0.8], [NAN] * 3, Axis.ROUND, id="rounds of boosting"),
        pytest.param([0.9, 0.8, 0.0, 0.0, 0.0, 0.0], None, Axis.STEP, id="masked from then on"),
    ],
)
def test_a_loss_that_became_nan_stays(
    evals: list[float], train: list[float] | None, axis: Axis
) -> None:
    assert left("val_loss", evals, train, axis) == pytest.approx(evals, nan_ok=True)


def test_evaluations_that_always_fail_are_reported_after_some_epochs() -> None:
    rows = [NAN] * (LONGEST_GAP_EPOCHS + 5)
    assert len(left("val_loss", rows, axis=Axis.EPOCH)) == 4
