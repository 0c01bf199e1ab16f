"""No verdict on a generated curve changes by accident.

Where a change is meant, `python -m tests.diagnosis.test_unchanged_verdicts` writes the file again;
its difference shows what the change does.
"""

from __future__ import annotations

from pathlib import Path

from lossmon.types import Diagnosis, Finding
from tests.diagnosis.feeding import diagnose
from tests.diagnosis.generated_curves import generated

EXPECTED = Path(__file__).with_name("unchanged_verdicts.txt")
RUNS = 320


def described(seed: int) -> str:
    """One line per run: findings with their facts, history and forecast."""
    curves = generated(seed)
    last = max(int(steps[-1]) for steps, _ in curves.values())
    diagnosis = diagnose(
        curves,
        sensitivity=(1.0, 1.0, 1.0, 0.7, 1.5)[seed % 5],
        total=last * 3 // 2 if seed % 3 == 0 else None,
        ended=seed % 4 == 1,
    )
    shown = [_finding(diagnosis.verdict), *sorted(map(_finding, diagnosis.findings))]
    return f"{seed:03} " + " | ".join([*dict.fromkeys(shown), _history(diagnosis)])


def _finding(finding: Finding) -> str:
    facts = " ".join(f"{name}={_short(value)}" for name, value in sorted(finding.facts.items()))
    name = f"{finding.code}/{finding.variant}" if finding.variant else finding.code
    return f"{name} {finding.severity.word} {finding.confidence} @{finding.since_step} {facts}"


def _history(diagnosis: Diagnosis) -> str:
    turns = " ".join(f"{turn.code}@{turn.step}" for turn in diagnosis.history)
    if (ends := diagnosis.forecast) is None:
        return turns
    return f"{turns} -> {_short(ends.final_loss)} {_short(ends.low)} {_short(ends.high)}"


def _short(value: float | str) -> str:
    """Three digits: more differ between processors."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def test_no_verdict_changes_by_accident() -> None:
    expected = EXPECTED.read_text(encoding="utf-8").splitlines()
    assert [described(seed) for seed in range(RUNS)] == expected


if __name__ == "__main__":
    EXPECTED.write_text("".join(f"{described(seed)}\n" for seed in range(RUNS)), encoding="utf-8")
