"""Findings about the hardware of a run: a table of rules, pure functions of its situation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.findings.disk_full import disk_full
from lossmon.hardware.findings.gpu_error import gpu_error
from lossmon.hardware.findings.hung_collective import hung_collective
from lossmon.hardware.findings.input_bound import input_bound
from lossmon.hardware.findings.link_degraded import link_degraded
from lossmon.hardware.findings.memory_growth import memory_growth
from lossmon.hardware.findings.no_first_step import no_first_step
from lossmon.hardware.findings.process_gone import process_gone
from lossmon.hardware.findings.situation import Situation
from lossmon.hardware.findings.slow_gpu import slow_gpu
from lossmon.hardware.findings.throttling import throttling
from lossmon.types import Finding


@dataclass(frozen=True, slots=True)
class HardwareRule:
    """One finding about hardware.

    Attributes:
        code: Its code in the `check` contract, and the name of the function.
        check: Returns the finding while the condition holds, else None.
    """

    code: str
    check: Callable[[Situation], Finding | None]


HARDWARE_RULES: tuple[HardwareRule, ...] = (
    HardwareRule("gpu_error", gpu_error),
    HardwareRule("process_gone", process_gone),
    HardwareRule("hung_collective", hung_collective),
    HardwareRule("disk_full", disk_full),
    HardwareRule("memory_growth", memory_growth),
    HardwareRule("no_first_step", no_first_step),
    HardwareRule("throttling", throttling),
    HardwareRule("slow_gpu", slow_gpu),
    HardwareRule("input_bound", input_bound),
    HardwareRule("link_degraded", link_degraded),
)
"""Every finding about hardware; of two of one severity, the first one leads."""


def hardware_findings(situation: Situation) -> tuple[Finding, ...]:
    """Every finding that holds now, the most important first."""
    if not situation.is_unfinished:
        return ()
    asked = (rule.check(situation) for rule in HARDWARE_RULES)
    return ordered(finding for finding in asked if finding is not None)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by severity, those of one severity in the order of the table."""
    return tuple(sorted(findings, key=lambda one: (-one.severity, _PLACES[one.code])))


_PLACES = {rule.code: place for place, rule in enumerate(HARDWARE_RULES)}
