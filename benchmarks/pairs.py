"""Figures beside a peer or a floor: measured in turns, shown as a ratio with its spread."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Measure = Callable[[], float]


class Ratio(NamedTuple):
    """How one figure compares with another, over several rounds.

    Attributes:
        ours: Ours, the least of all rounds.
        peer: That of the peer or floor, the least of all rounds.
        middle: Median of the ratios of the rounds.
        low: Smallest ratio.
        high: Largest ratio.
    """

    ours: float
    peer: float
    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f}x ({self.low:.2f} to {self.high:.2f})"


def in_turns(ours: Measure, peer: Measure, rounds: int = 3) -> Ratio:
    """Measure both in turns, so that both have the same rest of the machine beside them."""
    return ratio_of([(ours(), peer()) for _ in range(rounds)])


def ratio_of(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """How the first of each pair compares with the second."""
    ratios = sorted(one / max(other, 1e-9) for one, other in pairs)
    least = (min(column) for column in zip(*pairs, strict=True))
    return Ratio(*least, statistics.median(ratios), ratios[0], ratios[-1])


def cpu_of(call: Callable[[], object]) -> float:
    """CPU seconds of this process for a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


class ProgramCost(NamedTuple):
    """Wall seconds, CPU seconds and peak resident bytes of a program."""

    wall: float
    cpu: float
    memory: int


def cost_of(
    command: Sequence[str], *, bound: float = 120.0, environment: Mapping[str, str] | None = None
) -> ProgramCost:
    """Run a program to its end.

    Args:
        command: Program and arguments.
        bound: Seconds after which it is stopped.
        environment: Variables added or changed.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})},
    ) as program:
        peak = 0
        while program.poll() is None:
            peak = max(peak, _peak(program.pid))
            if time.perf_counter() - begin > bound:
                program.kill()
                raise subprocess.TimeoutExpired(command, bound)
            time.sleep(0.005)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ProgramCost(wall, cpu, peak)


def _peak(pid: int) -> int:
    """Peak resident bytes of a process so far, 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            lines = [line for line in file if line.startswith("VmHWM:")]
    except OSError:
        return 0
    return int(lines[0].split()[1]) * 1024 if lines else 0


def row(name: str, figure: str, beside: str, goal: str = "") -> None:
    """Print one row of a table."""
    print(f"{name:<36} {figure:<34} {beside:<38} {goal}".rstrip(), flush=True)
