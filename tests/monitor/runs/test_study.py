"""A study is judged by its trials."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.diagnosis.advice import advise
from lossmon.monitor.studies import pareto_front, with_study
from lossmon.types import UNJUDGED, Axis, Kind, Meaning, Series


def objective(tag: str, values: list[float], axis: Axis = Axis.TRIAL) -> Series:
    kept = [value for value in values if math.isfinite(value)]
    return Series(
        tag,
        Meaning(tag, tag),
        axis=axis,
        steps=np.arange(len(values)),
        values=np.array(values),
        n=len(values),
        minimum=min(kept, default=math.nan),
        min_step=values.index(min(kept)) if kept else 0,
        maximum=max(kept, default=math.nan),
        max_step=values.index(max(kept)) if kept else 0,
    )


@pytest.mark.parametrize(
    ("tag", "best", "trial"), [("objective/minimize", 0.25, 2), ("objective/maximize", 0.5, 0)]
)
def test_a_study_shows_its_best_trial_and_those_without_a_result(
    tag: str, best: float, trial: int
) -> None:
    series = objective(tag, [0.5, 0.4, 0.25, 0.3, 0.35])
    counts = {"trials": 8, "pruned": 2, "failed": 1}
    verdict = with_study(UNJUDGED, [series], counts).verdict
    assert (verdict.code, verdict.facts["best"], verdict.facts["trial"]) == ("study", best, trial)
    assert verdict.facts["since"] == 4 - trial
    assert advise(verdict).evidence == (
        f"best {best:.3f} in trial {trial} of 8; {4 - trial} trials since; 2 pruned, 1 failed"
    )


def test_the_trial_that_the_framework_calls_best_is_the_best() -> None:
    series = objective("objective/minimize", [0.5, 0.1, 0.25, 0.3])
    facts = with_study(UNJUDGED, [series], {"pruned": 1}, best_trial=2).verdict.facts
    assert (facts["best"], facts["trial"], facts["since"]) == (0.25, 2, 1)


def test_several_objectives_have_a_pareto_front() -> None:
    losses = objective("objective_0/minimize", [3.0, 2.0, 1.0, 3.0, 2.0])
    scores = objective("objective_1/maximize", [9.0, 8.0, 1.0, 1.0, 7.0])
    assert pareto_front([losses, scores]) == 3
    found = with_study(UNJUDGED, [losses, scores], {}).verdict
    assert (found.variant, found.facts["front"], found.facts["trials"]) == ("pareto", 3, 5)


def test_a_training_whose_notebook_prints_a_study_is_judged_as_a_training() -> None:
    trials = replace(objective("objective/maximize", [0.5, 0.6]), source="notebook")
    loss = Meaning("train/loss", "train loss", kind=Kind.LOSS)
    curve = replace(trials, tag="loss", meaning=loss, source="catboost", axis=Axis.ROUND)
    assert with_study(UNJUDGED, [curve, trials], {}) is UNJUDGED
    assert with_study(UNJUDGED, [replace(curve, source="notebook"), trials], {}) is not UNJUDGED


def test_other_runs_are_judged_as_before() -> None:
    curve = objective("objective/minimize", [1.0, 0.5], Axis.STEP)
    assert with_study(UNJUDGED, [curve], {}) is UNJUDGED
    empty = objective("objective/minimize", [math.nan])
    assert with_study(UNJUDGED, [empty], {}).verdict.variant == "without_result"
