"""What every verdict card promises: evidence, onset, severity, confidence and words."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lossmon.diagnosis.advice import advise
from lossmon.diagnosis.rules import RULES
from lossmon.locale import ENGLISH, languages
from lossmon.types import Confidence, Diagnosis, Finding, Severity
from tests.diagnosis.feeding import Curve, diagnose, falling, run
from tests.diagnosis.policies import POLICIES
from tests.diagnosis.test_rules import SHOWN, rising_late, step_up, with_rate

CURVES: dict[str, dict[str, Curve]] = {}
for _param in SHOWN:
    CURVES.setdefault(str(_param.values[1]), _param.values[0])  # type: ignore[arg-type]


def broken() -> dict[str, Curve]:
    """A descent whose loss is no number from step 301 on."""
    level = falling(600)
    level[300:] = np.nan
    return run(level, noise=0.0)


def raised() -> dict[str, Curve]:
    """A rate that goes up a hundredfold, and a loss that leaves with it."""
    rate = np.where(np.arange(600) < 350, 1e-3, 1e-1)
    return with_rate(run(step_up(600, 0.6, 6.0)), rate)


def disagreeing() -> dict[str, Curve]:
    """Accuracy that goes on improving while the eval loss rises."""
    curves = run(falling(600, end=0.1), rising_late(20, 0.5))
    return {**curves, "eval/accuracy": (curves["eval/loss"][0], np.linspace(0.5, 0.9, 20))}


CURVES["non_finite"] = broken()
CURVES["lr_too_high"] = raised()
CURVES["metric_disagreement"] = disagreeing()
CURVES["too_few_evals"] = run(falling(600), np.array([1.0, 0.9]))
CURVES["warming_up"] = run(falling(3))

CURVES |= POLICIES

CARDS = [
    # code, severities, first and last possible onset, fewest steps and evals before it is said
    ("non_finite", {Severity.CRITICAL}, (301, 301), 301, 0),
    ("diverging", {Severity.CRITICAL}, (330, 366), 6, 0),
    ("overfitting", {Severity.WARNING}, (210, 270), 60, 2),
    ("fast_memorisation", {Severity.WARNING}, (30, 150), 60, 3),
    ("distribution_mismatch", {Severity.WARNING}, (30, 120), 60, 3),
    ("easy_eval", {Severity.NOTICE}, (30, 200), 60, 3),
    ("metric_disagreement", {Severity.NOTICE, Severity.WARNING}, (30, 600), 60, 4),
    ("spike", {Severity.NOTICE}, (599, 600), 10, 0),
    ("oscillating", {Severity.NOTICE}, (250, 350), 20, 0),
    ("lr_too_high", {Severity.NOTICE}, (340, 366), 10, 0),
    ("underfitting", {Severity.NOTICE}, (1, 1), 100, 3),
    ("lr_too_low", {Severity.NOTICE}, (1, 1), 100, 3),
    ("plateau", {Severity.NOTICE}, (1, 1), 100, 3),
    ("converged", {Severity.OK}, (280, 320), 100, 2),
    ("reward_collapse", {Severity.WARNING}, (70, 110), 20, 0),
    ("kl_blowup", {Severity.WARNING}, (70, 110), 20, 0),
    ("entropy_collapse", {Severity.WARNING}, (10, 40), 20, 0),
    ("length_explosion", {Severity.WARNING}, (20, 120), 20, 0),
    ("zero_variance_groups", {Severity.NOTICE}, (1, 120), 20, 0),
    ("reward_hacking", {Severity.NOTICE}, (20, 120), 20, 0),
    ("not_judged", {Severity.NEUTRAL}, (1, 1), 5, 0),
    ("healthy", {Severity.OK}, (1, 1), 5, 0),
    ("too_few_evals", {Severity.NEUTRAL}, (1, 1), 0, 1),
    ("warming_up", {Severity.NEUTRAL}, (1, 1), 0, 0),
]


def cut(curves: dict[str, Curve], end: int) -> dict[str, Curve]:
    """The curves up to a step."""
    return {
        key: (np.asarray(x)[: (n := int(np.searchsorted(x, end, "right")))], np.asarray(y)[:n])
        for key, (x, y) in curves.items()
    }


@cache
def judged(code: str) -> Diagnosis:
    """The diagnosis of the curve of a verdict."""
    return diagnose(CURVES[code])


def found(code: str) -> Finding:
    """The finding of that verdict in it."""
    return next(finding for finding in judged(code).findings if finding.code == code)


def codes(diagnosis: Diagnosis) -> set[str]:
    return {finding.code for finding in diagnosis.findings}


def test_every_verdict_has_a_card_and_a_curve() -> None:
    assert {card[0] for card in CARDS} == {rule.code for rule in RULES} == set(CURVES)


@pytest.mark.parametrize(
    ("code", "severities", "onset", "steps", "evals"), CARDS, ids=[card[0] for card in CARDS]
)
def test_a_card_keeps_its_promises(
    code: str, severities: set[Severity], onset: tuple[int, int], steps: int, evals: int
) -> None:
    curves = CURVES[code]
    finding = found(code)
    assert finding.severity in severities
    assert onset[0] <= finding.since_step <= onset[1]
    assert not steps or code not in codes(diagnose(cut(curves, steps - 1)))
    if evals:
        early = np.asarray(curves["eval/loss"][0])[evals - 1] - 1
        assert code not in codes(diagnose(cut(curves, int(early))))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("code", [card[0] for card in CARDS])
def test_a_card_has_evidence_meaning_remedies_and_what_it_may_be_confused_with(
    code: str, language: str
) -> None:
    finding = found(code)
    words = advise(finding, language)
    assert all(
        (words.badge, words.evidence, words.meaning, words.could_also_be, words.would_change_if)
    )
    assert len(words.remedies) == len(set(words.remedies)) >= 1
    assert len(words.remedies) == len(advise(finding, ENGLISH).remedies)
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in words.meaning)
    assert chinese == (language == "zh")


@pytest.mark.parametrize(
    ("code", "first"),
    [
        pytest.param("overfitting", "checkpoint", id="take the best"),
        pytest.param("plateau", "learning rate", id="change the rate"),
        pytest.param("underfitting", "single batch", id="overfit one batch"),
        pytest.param("lr_too_low", "Raise", id="raise the rate"),
        pytest.param("lr_too_high", "Lower", id="lower the rate"),
        pytest.param("oscillating", "batch", id="average more"),
    ],
)
def test_the_first_remedy_is_the_one_to_try_first(code: str, first: str) -> None:
    finding = found(code)
    assert first in advise(finding).remedies[0]


@pytest.mark.parametrize(
    ("code", "confidence"),
    [
        ("non_finite", Confidence.HIGH),
        ("overfitting", Confidence.HIGH),
        ("diverging", Confidence.HIGH),
        ("underfitting", Confidence.MEDIUM),
        ("converged", Confidence.MEDIUM),
        ("healthy", Confidence.MEDIUM),
        ("lr_too_high", Confidence.LOW),
    ],
)
def test_a_cause_is_surer_than_a_course_and_a_guess_least_sure(
    code: str, confidence: Confidence
) -> None:
    finding = found(code)
    assert finding.confidence is confidence


@pytest.mark.parametrize("code", ["overfitting", "diverging", "distribution_mismatch"])
def test_plain_evidence_gives_more_confidence_than_the_least_of_it(code: str) -> None:
    """The first time a verdict is said it is no surer than at the end."""
    curves = CURVES[code]
    last = found(code)
    begun = next(turn.step for turn in judged(code).history if turn.code == code)
    first = next(f for f in diagnose(cut(curves, begun)).findings if f.code == code)
    order = [Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH]
    assert order.index(first.confidence) <= order.index(last.confidence) == 2
