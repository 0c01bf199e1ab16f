"""Exporter: runs that are followed without a screen, served to Prometheus."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.registry import Collector

from lossmon.fast_dataclass import dataclass
from lossmon.monitor import RunSource
from lossmon.monitor.follow import Follower
from lossmon.prometheus.server import MetricsServer
from lossmon.prometheus.web_config import WebConfig
from lossmon.reports.hardware_metrics import hardware_families
from lossmon.reports.openmetrics import Family, Sample, families
from lossmon.sanitize import one_line
from lossmon.types import RunSnapshot, RunState, Snapshot
from lossmon.version import __version__

HEARTBEAT = 2.0
"""Seconds between two looks while no file changes: Prometheus asks every fifteen or so."""


@dataclass(frozen=True, slots=True)
class ExporterConfig:
    """What is exported, and where.

    Attributes:
        host: Address to listen on.
        port: Port, 0 for any that is free.
        web: TLS and users.
        most_runs: Runs that are exported at most.
        oldest: Seconds since its last sign of life after which a run is left out.
    """

    host: str
    port: int
    web: WebConfig
    most_runs: int
    oldest: float


class Exporter:
    """Follows the runs of a source and serves them.

    Args:
        source: The runs.
        config: What is exported, and where.
        clock: Seconds since the Unix epoch.

    Attributes:
        url: Where the metrics are.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(
        self, source: RunSource, config: ExporterConfig, clock: Callable[[], float] = time.time
    ) -> None:
        self._follower = Follower(source)
        self._latest = Snapshot()
        collector = RunCollector(
            lambda: self._latest, most_runs=config.most_runs, oldest=config.oldest, clock=clock
        )
        registry = CollectorRegistry()
        registry.register(collector)
        ProcessCollector(registry=registry)
        self._server = MetricsServer(config.host, config.port, registry, config.web)
        self.url = self._server.url

    def run(self) -> None:
        """Serve until `stop` is called."""
        self._server.start()
        try:
            for snapshot in self._follower.snapshots(heartbeat=HEARTBEAT):
                self._latest = snapshot
        finally:
            self._server.stop()

    def stop(self) -> None:
        """End soon. Any thread and any signal handler may call it."""
        self._follower.stop()


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
