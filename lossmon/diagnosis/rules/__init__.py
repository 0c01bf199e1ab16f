"""The table of rules: curves to findings, each rule a pure function."""

from __future__ import annotations

from lossmon.diagnosis.curves import Curves
from lossmon.diagnosis.rules.fatal import non_finite
from lossmon.diagnosis.rules.calm import calm
from lossmon.types import Finding


def judge(curves: Curves, sensitivity: float) -> tuple[Finding, ...]:
    """Every finding that holds now."""
    findings = [finding for rule in RULES if (finding := rule(curves, sensitivity)) is not None]
    return tuple(findings)


RULES = (non_finite, calm)
