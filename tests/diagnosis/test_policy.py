"""Verdicts of reinforcement learning: by reward, KL, entropy and lengths, never by the loss."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.diagnosis.engine import Engine
from lossmon.types import Severity
from tests.diagnosis.feeding import assert_sound, columns, diagnose
from tests.diagnosis.policies import POLICIES, STEPS, policy


@pytest.mark.parametrize("code", POLICIES)
def test_a_policy_gets_its_verdict(code: str) -> None:
    diagnosis = diagnose(POLICIES[code])
    assert diagnosis.verdict.code == code
    assert_sound(diagnosis)


def test_a_sound_policy_is_neutral_and_says_what_to_look_at() -> None:
    diagnosis = diagnose(policy())
    assert diagnosis.verdict.severity is Severity.NEUTRAL
    assert {turn.severity for turn in diagnosis.history} == {Severity.NEUTRAL}


def test_a_policy_without_a_loss_is_judged_by_its_reward() -> None:
    curves = {key: curve for key, curve in POLICIES["reward_collapse"].items() if "loss" not in key}
    assert diagnose(curves).verdict.code == "reward_collapse"


def test_a_kl_that_pays_for_itself_is_learning() -> None:
    along = np.linspace(0, 1, len(STEPS))
    assert diagnose(policy(reward=along, kl=3 * along**2)).verdict.code != "kl_blowup"


def test_quantities_of_a_policy_say_nothing_about_other_runs() -> None:
    curves = {k: c for k, c in POLICIES["entropy_collapse"].items() if "reward" not in k}
    assert diagnose(curves).verdict.code != "entropy_collapse"


@pytest.mark.parametrize("evals", [0, 9])
def test_a_few_rewards_and_no_loss_are_too_few_points(evals: int) -> None:
    curves = {"train/reward": (STEPS[:3], np.array([0.1, 0.5, 0.2]))}
    if evals:
        curves["eval/loss"] = (STEPS[:evals], np.linspace(1, 0.5, evals))
    engine = Engine()
    engine.feed(*columns(engine, curves))
    assert engine.diagnosis().verdict.code == engine.diagnosis(ended=True).verdict.code
    assert engine.diagnosis().findings
