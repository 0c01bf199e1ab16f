"""Rule for stopping a run: a chosen verdict, confirmed by further evals."""

from __future__ import annotations

from collections.abc import Collection

from lossmon.fast_dataclass import dataclass
from lossmon.types import Diagnosis, Ints, Severity

CODES = ("diverging", "non_finite", "overfitting")
"""Verdicts that stop a run where the user names none."""

PATIENCE = 3
"""Evals that must confirm a verdict where the user gives no number."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """When a run is to be stopped.

    Attributes:
        codes: Verdicts that call for it.
        patience: Evals after the verdict was shown through which it must have stood.
    """

    codes: Collection[str] = CODES
    patience: int = PATIENCE

    def confirms(self, diagnosis: Diagnosis, evals: Ints) -> bool:
        """Whether a run is to be stopped.

        Args:
            evals: int64, steps of the evals, not decreasing; of the train points where the run
                has no evals.
        """
        verdict = diagnosis.verdict
        if verdict.code not in self.codes or verdict.severity < Severity.WARNING:
            return False
        shown = verdict.since_step
        for change in reversed(diagnosis.curve_history):
            if change.code != verdict.code or change.severity < Severity.WARNING:
                break
            shown = change.step
        return int((evals > shown).sum()) >= self.patience
