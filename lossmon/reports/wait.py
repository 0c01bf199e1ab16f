"""`lossmon check --wait` and `--watch`: verdicts once a condition holds, or at each change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lossmon.config import Config
from lossmon.diagnosis.advice import codes
from lossmon.errors import ConfigError, did_you_mean
from lossmon.fast_dataclass import dataclass
from lossmon.monitor import RunSource
from lossmon.monitor.follow import Follower
from lossmon.reports.check import have_ended, monitor_config
from lossmon.types import RunSnapshot

Runs = tuple[RunSnapshot, ...]


@dataclass(slots=True)
class VerdictWait:
    """Runs that are followed until a condition holds.

    Attributes:
        place: Paths or a source of runs.
        config: Settings.
        until: What is waited for, see `condition`.
        timeout: Seconds after which the wait ends, None for no limit.
        runs: The newest runs that hold metrics.
        reached: The condition held.
    """

    place: Sequence[Path] | RunSource
    config: Config
    until: str | None
    timeout: float | None
    runs: Runs = ()
    reached: bool = False

    def changes(self) -> Iterator[RunSnapshot]:
        """Yield each run when it is found and whenever its verdict or its state changes.

        Ends when the condition holds, when it cannot come true any more, or at the time-out.
        """
        follower = Follower(self.place, monitor_config(self.config))
        holds = condition(self.until)
        seen: dict[Path, object] = {}
        for snapshot in follower.snapshots(self.timeout):
            self.runs = tuple(run for run in snapshot.runs if run.series)
            for run in self.runs:
                if seen.get(run.path) != (now := essence(run)):
                    seen[run.path] = now
                    yield run
            self.reached = holds(self.runs)
            if self.reached or (self.until and have_ended(self.runs)):
                return


def condition(until: str | None) -> Callable[[Runs], bool]:
    """Whether the thing waited for is so.

    Args:
        until: `finished` (every run has ended), the code of a finding, or None for never.

    Raises:
        ConfigError: It is neither.
    """
    if until is None:
        return lambda runs: False
    if until == "finished":
        return have_ended
    if until not in (known := codes()):
        meant = did_you_mean(until, ["finished", *known])
        raise ConfigError(f"--until {until}: use finished, {', '.join(known)}{meant}")
    return lambda runs: any(
        finding.code == until
        for run in runs
        for finding in (run.diagnosis.verdict, *run.diagnosis.findings)
    )


def essence(run: RunSnapshot) -> object:
    """What a reader of a stream of changes wants to know about: no step, no loss."""
    verdict = run.diagnosis.verdict
    return (
        run.state,
        (verdict.code, verdict.severity),
        frozenset((finding.code, finding.severity) for finding in run.diagnosis.findings),
        run.errors,
    )
