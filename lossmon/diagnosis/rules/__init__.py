"""Table of the rules: pure functions from the signals of a run to a finding."""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto

from lossmon.diagnosis.rules.converged import converged
from lossmon.diagnosis.rules.data_mismatch import distribution_mismatch, easy_eval
from lossmon.diagnosis.rules.diverging import diverging
from lossmon.diagnosis.rules.fast_memorisation import fast_memorisation
from lossmon.diagnosis.rules.healthy import healthy, not_judged, too_few_evals, warming_up
from lossmon.diagnosis.rules.lr_too_high import lr_too_high
from lossmon.diagnosis.rules.metric_disagreement import metric_disagreement
from lossmon.diagnosis.rules.non_finite import non_finite
from lossmon.diagnosis.rules.oscillating import oscillating
from lossmon.diagnosis.rules.overfitting import overfitting
from lossmon.diagnosis.rules.policy import (
    entropy_collapse,
    kl_blowup,
    length_explosion,
    reward_collapse,
    reward_hacking,
    zero_variance_groups,
)
from lossmon.diagnosis.rules.spike import spike
from lossmon.diagnosis.rules.stuck import lr_too_low, plateau, underfitting
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import LossKind
from lossmon.fast_dataclass import dataclass
from lossmon.types import WARMING_UP, Finding


class VerdictPace(Flag):
    """How a finding becomes the badge, and how the badge is left."""

    PLAIN = 0
    """It must hold while the run grows by a twelfth."""
    SLOW = auto()
    """The same, even while the badge still shows that the run has too few points."""
    AT_ONCE = auto()
    """It replaces a badge of lower rank at once: waiting costs the user compute, and the rule asks
    for enough evidence by itself."""
    PASSING = auto()
    """It may be over as quickly as it came, so the run is judged more often."""
    BY_EVALS = auto()
    """It rests on evals: only new evals bring or revoke it."""
    STUCK = auto()
    """It is one of the names for a loss that does not move: the remedies are much the same, so
    the badge does not change between them."""
    MEMORISED = auto()
    """The same of the names for a model that learns its examples by heart; overfitting, which rests
    on more, still comes at once."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One verdict.

    Attributes:
        code: Its code in the `check` contract, and the name of the function.
        check: Returns the finding while the condition holds, else None.
        pace: How it becomes the badge.
        rank: Importance: where several conditions hold, the lowest number is the badge.
        beside: Variants that are listed beside the badge and never become it.
        kind: Kind of loss beside which it is asked; beside every kind if None.
    """

    code: str
    check: Callable[[Signals], Finding | None]
    pace: VerdictPace
    rank: int
    beside: tuple[str, ...] = ()
    kind: LossKind | None = None


RULES: tuple[Rule, ...] = (
    Rule("non_finite", non_finite, VerdictPace.AT_ONCE, 10),
    Rule("diverging", diverging, VerdictPace.AT_ONCE | VerdictPace.PASSING, 20),
    Rule("reward_collapse", reward_collapse, VerdictPace.PLAIN, 21, kind=LossKind.REWARD),
    Rule("kl_blowup", kl_blowup, VerdictPace.PLAIN, 22, kind=LossKind.REWARD),
    Rule("entropy_collapse", entropy_collapse, VerdictPace.PLAIN, 23, kind=LossKind.REWARD),
    Rule("length_explosion", length_explosion, VerdictPace.PLAIN, 24, kind=LossKind.REWARD),
    Rule("zero_variance_groups", zero_variance_groups, VerdictPace.PLAIN, 25, kind=LossKind.REWARD),
    Rule("reward_hacking", reward_hacking, VerdictPace.PLAIN, 26, kind=LossKind.REWARD),
    Rule(
        "overfitting",
        overfitting,
        VerdictPace.AT_ONCE | VerdictPace.BY_EVALS | VerdictPace.MEMORISED,
        30,
    ),
    Rule("fast_memorisation", fast_memorisation, VerdictPace.BY_EVALS | VerdictPace.MEMORISED, 40),
    Rule("distribution_mismatch", distribution_mismatch, VerdictPace.BY_EVALS, 50),
    Rule("easy_eval", easy_eval, VerdictPace.BY_EVALS, 60),
    Rule("metric_disagreement", metric_disagreement, VerdictPace.BY_EVALS, 70),
    Rule("spike", spike, VerdictPace.AT_ONCE | VerdictPace.PASSING, 80, beside=("recovered",)),
    Rule("oscillating", oscillating, VerdictPace.SLOW, 90),
    Rule("lr_too_high", lr_too_high, VerdictPace.PLAIN, 100, beside=("raised", "swinging")),
    Rule("underfitting", underfitting, VerdictPace.SLOW | VerdictPace.STUCK, 110),
    Rule("lr_too_low", lr_too_low, VerdictPace.SLOW | VerdictPace.STUCK, 120),
    Rule("plateau", plateau, VerdictPace.SLOW | VerdictPace.STUCK, 130),
    Rule("converged", converged, VerdictPace.SLOW, 140),
    Rule("not_judged", not_judged, VerdictPace.PLAIN, 145),
    Rule("healthy", healthy, VerdictPace.PLAIN, 150),
    Rule("too_few_evals", too_few_evals, VerdictPace.PLAIN, 160, beside=("aside",)),
    Rule("warming_up", warming_up, VerdictPace.PLAIN, 170),
)
"""Every verdict that the engine can give, in the order of their ranks. One of the last three
always holds."""

RULE_OF = {rule.code: rule for rule in RULES}
"""The rules by code."""

_RULES_BESIDE = {kind: [r for r in RULES if r.kind in (None, kind)] for kind in LossKind}
"""The rules that are asked beside each kind of loss."""


def can_lead(finding: Finding) -> bool:
    """Whether a finding may become the badge."""
    return finding.variant not in RULE_OF[finding.code].beside


def judge(signals: Signals) -> tuple[Finding, ...]:
    """Every finding that holds now, the one that would be the badge first."""
    asked = (rule.check(signals) for rule in _RULES_BESIDE[signals.kind])
    findings = [finding for finding in asked if finding is not None]
    return tuple(sorted(findings, key=lambda finding: not can_lead(finding)))


def leading(signals: Signals) -> Finding:
    """The finding that would be the badge now, were there no hysteresis."""
    for rule in _RULES_BESIDE[signals.kind]:
        finding = rule.check(signals)
        if finding is not None and finding.variant not in rule.beside:
            return finding
    return WARMING_UP
