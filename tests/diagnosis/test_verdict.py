"""The badge: which finding wins it, and how long one must wait for it."""

from __future__ import annotations

import numpy as np

from lossmon.diagnosis.rules import RULE_OF
from tests.diagnosis.feeding import diagnose, falling, noisy, run


def test_the_gravest_finding_leads() -> None:
    train = falling(600)
    train[500:] = 60.0
    evals = np.concatenate((falling(10, 2.4, 1.0, 8), np.linspace(1.1, 2.0, 10)))
    findings = diagnose(run(train, evals)).findings
    ranks = [RULE_OF[finding.code].rank for finding in findings]
    assert ranks[0] < ranks[1]
    assert findings[0].code == "diverging"


def test_what_is_told_aside_never_leads() -> None:
    level = falling(600)
    level[300] *= 20
    diagnosis = diagnose(run(level))
    assert ("spike", "recovered") in {(f.code, f.variant) for f in diagnosis.findings}
    assert diagnosis.verdict.code == "healthy"


def test_history_begins_with_warming_up_and_ends_with_the_badge() -> None:
    diagnosis = diagnose(run(falling(600, pace=25), falling(30, 2.4, 0.6, 25)))
    assert diagnosis.history[0].code == "warming_up"
    assert diagnosis.history[-1].code == diagnosis.verdict.code
    steps = [turn.step for turn in diagnosis.history]
    assert steps == sorted(steps)


def test_the_badge_does_not_flicker_on_noise() -> None:
    changes = [
        len(
            diagnose(run(falling(800), noisy(falling(25, 2.4, 0.6), 0.01, seed), noise=0.2)).history
        )
        for seed in range(8)
    ]
    assert max(changes) <= 4


def test_a_severity_only_rises_at_once() -> None:
    evals = np.concatenate((falling(10, 2.4, 1.0, 8), np.linspace(1.02, 1.4, 10)))
    turns = diagnose(run(falling(600, end=0.3), evals, noise=0.01)).history
    told = [turn.severity for turn in turns if turn.code == "overfitting"]
    assert told == sorted(told)


def test_a_verdict_that_loses_its_reservation_is_one_turn() -> None:
    codes = [turn.code for turn in diagnose(run(falling(600))).history]
    assert codes == ["warming_up", "healthy"]
