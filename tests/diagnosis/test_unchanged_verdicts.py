"""No verdict on a generated curve changes by accident.

Where a change is meant, `python -m tests.diagnosis.test_unchanged_verdicts` writes the file again;
its difference shows what the change does.
"""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from lossmon.diagnosis import engine as engine_module
from lossmon.diagnosis.engine import Engine
from lossmon.types import Diagnosis, Finding
from tests.diagnosis.feeding import Columns, columns
from tests.diagnosis.generated_curves import generated

EXPECTED = Path(__file__).with_name("unchanged_verdicts.txt")
"""One line per run, which begins with its seed: few runs that differ in what the rules see."""


def described(seed: int) -> str:
    """One line per run: findings with their facts, history and forecast."""
    curves = generated(seed)
    last = max(int(steps[-1]) for steps, _ in curves.values())
    engine = Engine((1.0, 1.0, 1.0, 0.7, 1.5)[seed % 5])
    engine.plan(last * 3 // 2 if seed % 3 == 0 else None)
    # However the points are added: half of the runs by columns, however few they are.
    with patch.object(engine_module, "YOUNG", seed % 2 * engine_module.YOUNG):
        _feed(engine, columns(engine, curves), resumed=seed % 7 == 3)
    diagnosis = engine.diagnosis(ended=seed % 4 == 1)
    shown = [_finding(diagnosis.verdict), *sorted(map(_finding, diagnosis.findings))]
    return f"{seed:04} " + " | ".join([*dict.fromkeys(shown), _history(diagnosis)])


def _feed(engine: Engine, rows: Columns, *, resumed: bool) -> None:
    """Feed a whole run; a resumed one falls back from two thirds of its points to the half."""
    channels, steps, values = rows
    if resumed:
        end, back = len(steps) * 2 // 3, int(steps[len(steps) // 2])
        engine.feed(channels[:end], steps[:end], values[:end])
        engine.restart(back)
        again = steps >= back
        channels, steps, values = channels[again], steps[again], values[again]
    engine.feed(channels, steps, values)


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


def _expected() -> list[str]:
    return EXPECTED.read_text(encoding="utf-8").splitlines()


def _described() -> list[str]:
    return [described(int(line.split()[0])) for line in _expected()]


def test_no_verdict_changes_by_accident() -> None:
    assert _described() == _expected()


if __name__ == "__main__":
    EXPECTED.write_text("".join(f"{line}\n" for line in _described()), encoding="utf-8")
