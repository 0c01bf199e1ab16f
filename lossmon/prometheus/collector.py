"""Collector of the Prometheus client: the runs of a snapshot as metric families."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.registry import Collector

from lossmon.reports.hardware_metrics import hardware_families
from lossmon.reports.openmetrics import Family, Sample, families
from lossmon.sanitize import one_line
from lossmon.types import RunSnapshot, RunState, Snapshot
from lossmon.version import __version__

LONGEST_LABEL = 512
"""Characters of a label: a path that is longer is cut."""


AGING = 600.0
"""Seconds after which runs are looked over again that fell silent long ago."""


class RunCollector(Collector):
    """Gives the newest snapshot as metrics, of a bounded number of runs.

    Args:
        latest: The newest snapshot.
        most_runs: Runs that are exported; of more, those that are alive and those written last.
        oldest: Seconds since its last sign of life after which a run is left out.
        clock: Seconds since the Unix epoch.
    """

    def __init__(
        self,
        latest: Callable[[], Snapshot],
        *,
        most_runs: int,
        oldest: float,
        clock: Callable[[], float],
    ) -> None:
        self._latest, self._clock = latest, clock
        self._most_runs, self._oldest = most_runs, oldest
        self._described: tuple[Snapshot | None, float, list[Metric]] = (None, 0.0, [])

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the runs."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every metric family, built again when the snapshot changed or runs have aged."""
        snapshot, now = self._latest(), self._clock()
        if snapshot is not self._described[0] or now - self._described[1] > AGING:
            metrics = [_metric(family) for family in self._families(snapshot)]
            self._described = (snapshot, now, metrics)
        return self._described[2]

    def _families(self, snapshot: Snapshot) -> Iterable[Family]:
        runs = self._exported(snapshot.runs)
        yield from families(runs)
        yield from hardware_families(snapshot.hardware, platform.node(), runs)
        yield _single("lossmon_exporter", "info", "The exporter", 1.0, {"version": __version__})
        yield _single("lossmon_exporter_runs", "gauge", "Runs that are exported", len(runs))
        left_out = len(snapshot.runs) - len(runs)
        meaning = "Runs that are left out: too many, or silent for too long"
        yield _single("lossmon_exporter_runs_left_out", "gauge", meaning, left_out)

    def _exported(self, runs: Sequence[RunSnapshot]) -> list[RunSnapshot]:
        since = self._clock() - self._oldest
        recent = [run for run in runs if run.last_time is None or run.last_time >= since]
        if len(recent) > self._most_runs:
            recent.sort(key=_importance, reverse=True)
        return recent[: self._most_runs]


def _importance(run: RunSnapshot) -> tuple[bool, float]:
    return run.state in (RunState.RUNNING, RunState.STALLED), run.last_time or 0.0


def _single(
    name: str, kind: str, meaning: str, value: float, labels: dict[str, str] | None = None
) -> Family:
    return Family(name, kind, "", meaning, (Sample(labels or {}, float(value)),))


def _metric(family: Family) -> Metric:
    metric = Metric(family.name, family.meaning, family.kind, family.unit)
    name = f"{family.name}_info" if family.kind == "info" else family.name
    for sample in family.samples:
        labels = {label: _fit(text) for label, text in sample.labels.items()}
        metric.add_sample(name, labels, sample.value)
    return metric


def _fit(text: str) -> str:
    """Text as a label: printable, of bounded length, and UTF-8 whatever a file is called."""
    return one_line(text, LONGEST_LABEL).encode(errors="replace").decode()
