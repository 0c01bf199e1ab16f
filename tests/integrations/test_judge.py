"""What both callbacks share, without their frameworks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import lossmon
from lossmon.alerts.early_stop import StopRule
from lossmon.integrations.judge import InProcessJudge, StopFile


def overfitting(judge: InProcessJudge, steps: int) -> int | None:
    """Log a run that memorises; the step at which the judge says stop."""
    for step in range(10, steps, 10):
        judge.add(step, {"loss": 2.0 / (1 + step / 100), "learning_rate": 1e-4, "epoch": 1.0})
        if step % 50 == 0:
            judge.add(step, {"eval_loss": 1.0 + abs(step - 500) / 1000, "eval_runtime": 3.0})
        if judge.should_stop():
            return step
    return None


def test_an_overfitting_run_is_to_be_stopped_once_it_is_confirmed() -> None:
    early = overfitting(InProcessJudge(StopRule(patience=0), "hf_trainer"), 2000)
    late = overfitting(InProcessJudge(StopRule(patience=4), "hf_trainer"), 2000)
    assert early is not None and late is not None
    assert early > 500
    assert late == early + 4 * 50


def test_only_the_verdicts_that_were_chosen_stop() -> None:
    assert overfitting(InProcessJudge(StopRule(("diverging",)), "hf_trainer"), 2000) is None


def test_a_healthy_run_goes_on() -> None:
    judge = InProcessJudge(StopRule(), "hf_trainer")
    judge.plan(1000)
    for step in range(1, 1000):
        loss = 0.5 + 2.0 / (1 + step / 50)
        judge.add(
            step, {"loss": loss, "eval_loss": loss * 1.1} if step % 50 == 0 else {"loss": loss}
        )
        assert not judge.should_stop()
    assert judge.diagnosis().verdict.code == "healthy"


def test_it_judges_as_the_python_api_does() -> None:
    steps = np.arange(1, 1001)
    losses = 0.5 + 2.0 / (1 + steps / 50)
    eval_steps = steps[49::50]
    evals = losses[49::50] + np.maximum(0, eval_steps - 400) / 500
    judge = InProcessJudge(StopRule(), "hf_trainer")
    for step, loss in zip(steps.tolist(), losses.tolist(), strict=True):
        judge.add(step, {"loss": loss})
        if step % 50 == 0:
            judge.add(step, {"eval_loss": float(evals[step // 50 - 1])})
    whole = lossmon.diagnose(steps, losses, eval_steps, evals)
    assert whole.verdict.code == "overfitting"
    assert judge.diagnosis() == whole


def test_without_evals_points_confirm() -> None:
    judge = InProcessJudge(StopRule(patience=5), "lightning")
    for step in range(1, 101):
        judge.add(step, {"train_loss": 1.0 / step})
    stopped = []
    for step in range(101, 120):
        judge.add(step, {"train_loss": float("nan")})
        stopped += [step] if judge.should_stop() else []
    assert stopped[0] == 106


def test_only_the_first_eval_set_counts_as_evals() -> None:
    judge = InProcessJudge(StopRule(), "hf_trainer")
    for step in (10, 20):
        judge.add(step, {"eval_easy_loss": 1.0, "eval_hard_loss": 2.0, "train_runtime": 3.0})
    assert [list(steps) for steps in judge._steps.values()] == [[], [10, 20]]


def test_a_stop_file_of_an_older_training_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    file.touch()
    os.utime(file, (1, 1))
    stop = StopFile(file)
    assert not stop.is_there()
    file.unlink()
    assert not stop.is_there()
    file.touch()
    assert stop.is_there()
