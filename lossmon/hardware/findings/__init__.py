"""Findings about the hardware of a run: a table of rules, pure functions of its situation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lossmon.hardware.findings.gpus import gpu_error, link_degraded, slow_gpu, throttling
from lossmon.hardware.findings.progress import hung_collective, no_first_step, process_gone
from lossmon.hardware.findings.resources import disk_full, input_bound, memory_growth
from lossmon.hardware.findings.situation import Situation
from lossmon.types import Finding

HardwareRule = Callable[[Situation], Finding | None]
"""Returns the finding with the name of the function while its condition holds, else None."""

HARDWARE_RULES: tuple[HardwareRule, ...] = (
    gpu_error,
    process_gone,
    hung_collective,
    disk_full,
    memory_growth,
    no_first_step,
    throttling,
    slow_gpu,
    input_bound,
    link_degraded,
)
"""Every finding about hardware; of two of one severity, the first one leads."""


def hardware_findings(situation: Situation) -> tuple[Finding, ...]:
    """Every finding that holds now, the most important first."""
    if not situation.is_unfinished:
        return ()
    asked = (rule(situation) for rule in HARDWARE_RULES)
    return ordered(finding for finding in asked if finding is not None)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by severity, those of one severity in the order of the table."""
    return tuple(sorted(findings, key=lambda one: (-one.severity, _PLACES[one.code])))


_PLACES = {rule.__name__: place for place, rule in enumerate(HARDWARE_RULES)}

CODES = frozenset(_PLACES)
"""Codes of these findings, in the `check` contract."""
