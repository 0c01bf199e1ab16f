"""The table of rules: one row per verdict, and nothing else lists them."""

from __future__ import annotations

import pytest

from lossmon.diagnosis.advice import codes
from lossmon.diagnosis.rules import RULES, Rule, VerdictPace, can_lead, judge, leading
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import EngineState
from lossmon.types import Confidence, Finding, Severity


@pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
def test_a_rule_is_named_after_its_code_and_has_texts(rule: Rule) -> None:
    assert getattr(rule.check, "__name__", "") == rule.code
    assert rule.code in codes()


def test_the_rows_stand_in_the_order_of_their_ranks() -> None:
    ranks = [rule.rank for rule in RULES]
    assert ranks == sorted(set(ranks))


def test_a_verdict_that_passes_is_one_that_comes_at_once() -> None:
    assert all(
        VerdictPace.AT_ONCE in rule.pace for rule in RULES if VerdictPace.PASSING in rule.pace
    )


def test_a_run_without_points_has_a_leading_finding() -> None:
    signals = Signals(EngineState())
    assert leading(signals).code == "warming_up"
    assert judge(signals) == (leading(signals),)


@pytest.mark.parametrize(
    ("code", "variant", "leads"),
    [("spike", "", True), ("spike", "recovered", False), ("lr_too_high", "raised", False)],
)
def test_some_variants_are_only_listed_beside_the_badge(
    code: str, variant: str, leads: bool
) -> None:
    assert can_lead(Finding(code, Severity.NOTICE, 0, Confidence.LOW, {}, variant)) is leads
