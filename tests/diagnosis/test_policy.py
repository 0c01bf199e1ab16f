"""Verdicts of reinforcement learning: by reward, KL, entropy and lengths, never by the loss."""

from __future__ import annotations

import numpy as np
import pytest

from lossmon.diagnosis.engine import Engine
from lossmon.diagnosis.policy_curves import PolicyQuantity, policy_quantity
from lossmon.readers.tags.meaning import meaning
from lossmon.types import Floats, Severity
from tests.diagnosis.feeding import assert_sound, columns, diagnose, noisy
from tests.diagnosis.policies import ALONG, POLICIES, STEPS, late, policy


@pytest.mark.parametrize("code", POLICIES)
def test_a_policy_gets_its_verdict(code: str) -> None:
    diagnosis = diagnose(POLICIES[code])
    assert diagnosis.verdict.code == code
    assert_sound(diagnosis)


def test_a_sound_policy_is_neutral_and_says_what_to_look_at() -> None:
    diagnosis = diagnose(policy())
    assert diagnosis.verdict.severity is Severity.NEUTRAL
    assert {turn.severity for turn in diagnosis.history} == {Severity.NEUTRAL}


def changing(times: float) -> Floats:
    """A quantity that changes by a factor after a tenth of the run."""
    return np.where(ALONG < 0.1, 1, times)


FLAT = np.ones(len(STEPS))
RISEN = 0.2 + 0.8 * np.minimum(3 * ALONG, 1)
LAST = (ALONG > 0.9).astype(float)
LENGTH, CUT = "completions_mean_length", "completions_clipped_ratio"
LIMITS = [
    ("length_explosion", {LENGTH: changing(2.2)}, {LENGTH: changing(2.9)}),
    (
        "length_explosion",
        {LENGTH: changing(1.7), CUT: 0.6 * FLAT},
        {LENGTH: changing(2.3), CUT: 0.6 * FLAT},
    ),
    (
        "length_explosion",
        {LENGTH: changing(4.0), CUT: 0.4 * FLAT},
        {LENGTH: changing(4.0), CUT: 0.6 * FLAT},
    ),
    ("kl_blowup", {"kl": 0.02 + late(0.8)}, {"kl": 0.02 + late(1.4)}),
    ("kl_blowup", {"kl": 0.5 + late(3.0)}, {"kl": 0.5 + late(4.5)}),
    ("kl_blowup", {"approx_kl": 0.002 + late(0.08)}, {"approx_kl": 0.002 + late(0.16)}),
    ("entropy_collapse", {"entropy": changing(0.08)}, {"entropy": changing(0.05)}),
    ("entropy_collapse", {"entropy_loss": -changing(0.08)}, {"entropy_loss": -changing(0.05)}),
    (
        "zero_variance_groups",
        {"frac_reward_zero_std": 0.7 * FLAT},
        {"frac_reward_zero_std": 0.9 * FLAT},
    ),
    (
        "reward_hacking",
        {"reward": RISEN, LENGTH: changing(1.8), "kl": 0.2 * FLAT},
        {"reward": RISEN, LENGTH: changing(1.8), "kl": 0.45 * FLAT},
    ),
    ("reward_collapse", {"reward": RISEN - late(0.5)}, {"reward": RISEN - late(0.8)}),
    ("reward_collapse", {"reward": RISEN - 0.55 * LAST}, {"reward": RISEN - 0.95 * LAST}),
]


@pytest.mark.parametrize(("code", "within", "beyond"), LIMITS)
def test_each_quantity_has_a_limit(
    code: str, within: dict[str, Floats], beyond: dict[str, Floats]
) -> None:
    found = []
    for changed in (within, beyond):
        curves = policy(**{"reward": FLAT, "entropy": FLAT} | changed)
        if "entropy_loss" in changed:
            del curves["train/entropy"]
        found.append(code in {finding.code for finding in diagnose(curves).findings})
    assert found == [False, True]


def test_an_average_over_episodes_that_wanders_has_learnt_nothing_to_lose() -> None:
    """As Stable-Baselines3 logs a policy that does not learn: the mean of the last 100 episodes."""
    alarms = 0
    for seed in range(20):
        episodes = np.random.default_rng(seed).normal(size=4 * len(STEPS))
        means = [episodes[max(0, end - 100) : end].mean() for end in 4 * STEPS]
        curves = {"train/reward": (STEPS, np.asarray(means))}
        alarms += diagnose(curves).verdict.code == "reward_collapse"
    assert alarms <= 2


def test_the_kl_loss_of_verl_is_a_kl() -> None:
    curves = {
        key.replace("/kl", "/actor_kl_loss"): curve for key, curve in POLICIES["kl_blowup"].items()
    }
    assert diagnose(curves).verdict.code == "kl_blowup"


SPELLINGS = {
    PolicyQuantity.KL: "kl objective/kl critic/kl actor/kl_loss",
    PolicyQuantity.UPDATE_KL: "train/approx_kl actor/ppo_kl losses/approx_kl policy/approxkl_avg",
    PolicyQuantity.ENTROPY: "entropy actor/entropy losses/entropy policy/entropy_avg",
    PolicyQuantity.LENGTH: "response_length/mean completions/mean_length",
    PolicyQuantity.REWARD: "reward critic/rewards/mean rollout/ep_rew_mean",
}


@pytest.mark.parametrize(
    ("quantity", "tag"), [(q, tag) for q, tags in SPELLINGS.items() for tag in tags.split()]
)
def test_each_framework_names_the_quantities_of_a_policy(
    quantity: PolicyQuantity, tag: str
) -> None:
    assert policy_quantity(meaning(tag).key) is quantity


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


def test_a_reward_that_never_rose_collapses_from_the_level_that_it_held() -> None:
    fallen = {"train/reward": (STEPS, noisy(0.2 - late(1.2), 0.03))}
    falling = {"train/reward": (STEPS, noisy(0.2 - 1.2 * ALONG, 0.03))}
    assert diagnose(fallen).verdict.code == "reward_collapse"
    assert diagnose(falling).verdict.code != "reward_collapse"


@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_a_reward_that_is_nearly_the_highest_has_not_collapsed(noise: float) -> None:
    dipped = {"train/reward": (STEPS, noisy(1.0 - 0.03 * (ALONG > 0.7), noise))}
    assert diagnose(dipped).verdict.code != "reward_collapse"
