"""What stopping saves, which weights to take, what comes: in sentences."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lossmon.analysis.generalisation_gap import LEVEL_POINTS, MOST_EVALS, gap_series
from lossmon.analysis.sentences import (
    best_checkpoint,
    best_sentence,
    forecast_sentence,
    metric_sentences,
    remedies,
    stop_sentence,
)
from lossmon.types import (
    UNJUDGED,
    Axis,
    Best,
    Confidence,
    Finding,
    Forecast,
    Kind,
    Meaning,
    RunSnapshot,
    RunState,
    Severity,
    Split,
    VerdictChange,
)
from tests.ui import stage

CONVERGED = Finding("converged", Severity.OK, 700, Confidence.MEDIUM)
ACCURACY = Meaning("eval/accuracy", "eval accuracy", Split.EVAL, Kind.METRIC, "", False)


def without_scalars(run: RunSnapshot) -> RunSnapshot:
    return replace(run, series=run.series[:2])


def judged(run: RunSnapshot, finding: Finding, **changes: object) -> RunSnapshot:
    diagnosis = replace(run.diagnosis, verdict=finding, findings=(finding,))
    return replace(run, diagnosis=diagnosis, **changes)  # type: ignore[arg-type]


def with_accuracy(run: RunSnapshot, values: list[float]) -> RunSnapshot:
    steps = np.arange(1, len(values) + 1) * 50
    series = stage.series(ACCURACY, steps, np.array(values))
    return replace(run, series=(*run.series[:2], series))


def overfitting() -> RunSnapshot:
    return without_scalars(stage.overfitting())


# ----------------------------------------------------------------------------- stopping


def test_confirmed_overfitting_says_what_stopping_saves() -> None:
    assert stop_sentence(overfitting(), "en") == "Stop now: this saves 1,760 steps (13 m)."
    assert stop_sentence(overfitting(), "zh") == "现在停止可节省 1,760 步（13 分钟）。"


def test_the_advice_begins_with_the_stop() -> None:
    told = remedies(overfitting(), "en")
    assert told[0].startswith("Stop now: this saves")
    assert told[1].startswith("No checkpoint up to step 800 is on disk")


@pytest.mark.parametrize(
    "finding",
    [
        pytest.param(replace(stage.OVERFITTING, variant="suspected"), id="only suspected"),
        pytest.param(replace(stage.OVERFITTING, severity=Severity.NOTICE), id="only a notice"),
        pytest.param(
            Finding("diverging", Severity.WARNING, 9, Confidence.LOW, {}, "rising"), id="rising"
        ),
        pytest.param(stage.HEALTHY, id="healthy"),
        pytest.param(stage.NON_FINITE, id="not a number"),
    ],
)
def test_nothing_is_said_of_stopping_before_it_is_sure(finding: Finding) -> None:
    assert stop_sentence(judged(overfitting(), finding), "en") == ""


def test_a_diverged_run_says_what_stopping_saves() -> None:
    finding = Finding("diverging", Severity.CRITICAL, 900, Confidence.HIGH)
    assert "saves 1,760 steps" in stop_sentence(judged(overfitting(), finding), "en")


def test_without_a_pace_the_steps_alone_are_told() -> None:
    run = replace(overfitting(), steps_per_second=None)
    assert stop_sentence(run, "en") == "Stop now: this saves 1,760 steps."


@pytest.mark.parametrize(
    "changes",
    [{"total_steps": None}, {"total_steps": 1250}, {"step": None}],
    ids=["no plan", "nearly done", "no step"],
)
def test_where_nothing_is_saved_nothing_is_said(changes: dict[str, int | None]) -> None:
    run = replace(overfitting(), **changes)  # type: ignore[arg-type]
    assert stop_sentence(run, "en") == ""


@pytest.mark.parametrize(
    "left, told", [(99, "99"), (847, "840"), (1768, "1,760"), (123_999, "123,000")]
)
def test_a_saving_is_rounded_so_that_it_stands_still_on_a_live_screen(left: int, told: str) -> None:
    run = replace(overfitting(), total_steps=1240 + left)
    assert f"saves {told} steps" in stop_sentence(run, "en")


def test_a_run_counted_in_epochs_saves_epochs() -> None:
    run = overfitting()
    series = tuple(replace(one, axis=Axis.EPOCH) for one in run.series)
    run = replace(run, series=series, step=29, total_steps=30, steps_per_second=0.01)
    assert stop_sentence(run, "en") == "Stop now: this saves 1 epoch (1 m)."


def test_a_metric_that_still_improves_speaks_against_stopping() -> None:
    rising = with_accuracy(overfitting(), [0.5 + 0.01 * i for i in range(24)])
    assert stop_sentence(rising, "en") == (
        "Do not stop yet: eval accuracy is still improving, now 0.73."
    )
    flat = with_accuracy(overfitting(), [0.5 + 0.01 * min(i, 15) for i in range(24)])
    assert stop_sentence(flat, "en").startswith("Stop now:")


def test_an_eval_loss_that_comes_back_speaks_against_stopping() -> None:
    evals = [1.6, 1.4, 1.3, 1.2, 1.3, 1.5, 1.6, 1.6, 1.4, 1.32, 1.3]
    run = stage.run(stage.OVERFITTING, evaluated=np.array(evals))
    assert "coming down again" in stop_sentence(without_scalars(run), "en")


def test_a_learning_rate_that_still_decays_speaks_against_stopping_a_flat_run() -> None:
    decaying = judged(stage.healthy(), CONVERGED)
    decaying = replace(decaying, series=decaying.series[:3])
    assert "still decaying" in stop_sentence(decaying, "en")
    constant = judged(without_scalars(stage.healthy()), CONVERGED)
    assert stop_sentence(constant, "en").startswith("Stop now: this saves")


def test_an_expected_fall_speaks_against_stopping_a_flat_run() -> None:
    run = judged(without_scalars(stage.healthy()), CONVERGED)
    falling = replace(run.diagnosis, forecast=Forecast(0.31, 0.3, 0.32, None))
    assert "0.31" in stop_sentence(replace(run, diagnosis=falling), "en")


def test_a_finished_run_is_told_what_a_stop_would_have_saved() -> None:
    run = replace(overfitting(), state=RunState.FINISHED, step=3000)
    assert stop_sentence(run, "en") == (
        "Stopping at step 910, when this verdict appeared, would have saved 2,090 steps (16 m)."
    )


def test_a_finished_run_that_learnt_to_its_end_is_not_reproached() -> None:
    run = judged(without_scalars(stage.healthy()), CONVERGED, state=RunState.FINISHED)
    history = (VerdictChange(300, "converged", Severity.OK),)
    run = replace(run, diagnosis=replace(run.diagnosis, history=history))
    assert run.best is not None
    assert run.best.step > 300
    assert stop_sentence(run, "en") == ""


@pytest.mark.parametrize(
    "seconds, words", [(45, "45 s"), (7800, "2 h 10 m"), (3600, "1 h"), (273_600, "3 d 4 h")]
)
def test_a_duration_has_at_most_two_units(seconds: float, words: str) -> None:
    run = replace(overfitting(), steps_per_second=1760 / seconds)
    assert f"({words})" in stop_sentence(run, "en")


# -------------------------------------------------------------------------- checkpoints


def test_the_checkpoint_of_the_best_eval_is_named() -> None:
    run = replace(overfitting(), best=Best(700, 1.4, "checkpoint-700"))
    assert best_checkpoint(run, "en") == "checkpoint-700 on disk"


def test_a_checkpoint_shortly_before_the_best_eval_tells_the_distance() -> None:
    run = replace(
        overfitting(),
        best=Best(700, 1.4, "checkpoint-690"),
        checkpoints=((690, "checkpoint-690"),),
    )
    assert best_checkpoint(run, "en") == "checkpoint-690, 10 steps before the best"


def test_where_the_best_is_gone_the_nearest_earlier_one_is_named() -> None:
    kept = tuple((step, f"checkpoint-{step}") for step in (80, 640, 1200))
    run = replace(overfitting(), best=Best(700, 1.4), checkpoints=kept)
    assert best_checkpoint(run, "en") == "checkpoint-640, 60 steps before the best"
    assert best_checkpoint(run, "zh") == "checkpoint-640，比最佳点早 60 步"


def test_a_later_checkpoint_is_never_offered_as_the_best() -> None:
    run = replace(overfitting(), best=Best(700, 1.4), checkpoints=((1200, "checkpoint-1200"),))
    assert best_checkpoint(run, "en") == ""
    # The first remedy says that none is on disk.
    assert best_sentence(run, "en") == "best: eval 1.4 at step 700"
    unjudged = replace(run, diagnosis=UNJUDGED)
    assert best_sentence(unjudged, "en") == (
        "best: eval 1.4 at step 700, no checkpoint at or before that step on disk"
    )


# ------------------------------------------------------------------------------ forecast


def test_the_forecast_is_a_level_an_interval_and_a_step() -> None:
    forecast = Forecast(0.412, 0.38, 0.453, 12_040)
    assert forecast_sentence(forecast, "en") == (
        "expected final loss 0.412 (0.38–0.453); flattens near step 12k"
    )
    assert "flattens" not in forecast_sentence(replace(forecast, flat_step=None), "en")
    assert forecast_sentence(None, "en") == ""


# ------------------------------------------------------------------------------- metrics


def test_a_metric_stands_beside_its_best_and_the_loss() -> None:
    run = with_accuracy(overfitting(), [*np.linspace(0.5, 0.78, 15), *[0.768] * 9])
    assert metric_sentences(run, "en") == [
        "eval accuracy 0.768, best 0.78 at step 750: loss and metric agree"
    ]
    (text,) = metric_sentences(run, "zh")
    assert text == "验证准确率 0.768，最好为第 750 步的 0.78：损失与指标一致"


def test_a_disagreement_that_was_found_is_told() -> None:
    run = with_accuracy(overfitting(), [0.5 + 0.01 * i for i in range(24)])
    finding = Finding(
        "metric_disagreement",
        Severity.NOTICE,
        700,
        Confidence.MEDIUM,
        {"metric": "eval/accuracy"},
        "metric_better",
    )
    run = judged(run, finding)
    assert metric_sentences(run, "en") == [
        "eval accuracy 0.73, its best so far: loss and metric disagree"
    ]


def test_of_too_few_values_nobody_says_that_they_agree() -> None:
    assert metric_sentences(with_accuracy(overfitting(), [0.5, 0.6]), "en") == [
        "eval accuracy 0.6, its best so far"
    ]


# ----------------------------------------------------------------------------------- gap


def test_the_gap_is_the_eval_loss_minus_the_level_of_train_there() -> None:
    run = overfitting()
    train, evals, gap = run.series[0], run.series[1], gap_series(run)
    assert gap is not None
    assert gap.steps.tolist() == evals.steps.tolist()
    expected = [
        value - float(np.median(train.values[step - min(step // 10, LEVEL_POINTS) : step]))
        for step, value in zip(evals.steps.tolist(), evals.values.tolist(), strict=True)
    ]
    assert gap.values == pytest.approx(expected)


def test_evals_before_the_first_train_point_or_without_a_number_have_no_gap() -> None:
    steps = np.array([0, 1, 3, 5, 7])
    train = stage.series(stage.TRAIN_LOSS, np.array([2, 4, 6]), np.array([2.0, math.nan, 1.0]))
    evals = stage.series(stage.EVAL_LOSS, steps, np.array([9.0, 9.0, 3.0, math.nan, 3.0]))
    gap = gap_series(replace(overfitting(), series=(train, evals)))
    assert gap is not None
    assert gap.steps.tolist() == [3, 7]
    assert gap.values.tolist() == [1.0, 2.0]


def test_a_few_train_points_that_fall_do_not_lift_the_level() -> None:
    steps = np.arange(2, 32, 2)
    train = stage.series(stage.TRAIN_LOSS, steps, 5.0 - steps / 10)
    evals = stage.series(stage.EVAL_LOSS, steps[4::5], 5.1 - steps[4::5] / 10)
    gap = gap_series(replace(overfitting(), series=(train, evals)))
    assert gap is not None
    assert gap.values == pytest.approx([0.1] * 3)


def test_a_gap_of_very_many_evals_keeps_the_newest_and_a_bounded_number() -> None:
    steps = np.arange(1, 5001)
    train = stage.series(stage.TRAIN_LOSS, steps, np.ones(5000))
    evals = stage.series(stage.EVAL_LOSS, steps, np.full(5000, 3.0))
    gap = gap_series(replace(overfitting(), series=(train, evals)))
    assert gap is not None
    assert MOST_EVALS / 2 < len(gap) <= MOST_EVALS
    assert gap.last_step == 5000


def test_one_loss_alone_has_no_gap() -> None:
    assert gap_series(stage.without_eval()) is None


@pytest.mark.parametrize(
    ("checkpoints", "said"),
    [
        (((300, "checkpoint-300"), (900, "checkpoint-900")), "Take checkpoint-300 (100 steps"),
        (((400, "checkpoint-400"),), "Take checkpoint-400: it is the one of step 400."),
        (((900, "checkpoint-900"),), "save_steps = 100 would have kept one"),
    ],
)
def test_the_first_remedy_of_overfitting_names_a_checkpoint_that_exists(
    checkpoints: tuple[tuple[int, str], ...], said: str
) -> None:
    facts = {"eval": 1.2, "best": 1.0, "best_step": 400, "rise_percent": 20.0, "evals": 4}
    finding = Finding("overfitting", Severity.WARNING, 400, Confidence.HIGH, facts)
    run = judged(stage.overfitting(), finding, checkpoints=checkpoints)
    found = remedies(run, "en")
    assert any(said in remedy for remedy in found[:2])
    assert not any("nearest to" in remedy for remedy in found)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_is_over_is_not_told_to_go_on(language: str) -> None:
    live = judged(without_scalars(stage.overfitting()), stage.HEALTHY, best=None)
    over = replace(live, state=RunState.FINISHED)
    assert remedies(live, language)[0] != remedies(over, language)[0]
    assert not re.search("planned|wait|计划训练|先等待", remedies(over, language)[0].lower())


def test_a_healthy_run_that_is_over_names_a_checkpoint_that_exists() -> None:
    run = judged(stage.overfitting(), stage.HEALTHY, state=RunState.FINISHED, best=Best(400, 1.4))
    kept = replace(run, checkpoints=((300, "checkpoint-300"),))
    assert remedies(kept, "en")[0].startswith("Take checkpoint-300 (100 steps before step 400)")
    assert remedies(run, "en")[0].startswith("No checkpoint up to step 400 is on disk")


def test_a_run_counted_in_epochs_is_not_sent_to_a_checkpoint_that_does_not_exist() -> None:
    finding = replace(stage.OVERFITTING, facts={**stage.OVERFITTING.facts, "best_step": 7})
    run = judged(stage.overfitting(), finding)
    run = replace(run, series=tuple(replace(one, axis=Axis.EPOCH) for one in run.series))
    assert any("the weights of epoch 7" in one for one in remedies(run, "en"))
    numbered = replace(run, series=tuple(replace(one, axis=Axis.ORDER) for one in run.series))
    assert any("nearest to step 7;" in one for one in remedies(numbered, "en"))
    kept = replace(run, checkpoints=((900, "checkpoint-900"),))
    assert any("nearest to step 7;" in one for one in remedies(kept, "en"))
