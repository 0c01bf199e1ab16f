"""Exporter: runs that are followed without a screen, served to Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector

from lossmon.fast_dataclass import dataclass
from lossmon.monitor import RunSource
from lossmon.monitor.follow import Follower
from lossmon.prometheus.collector import RunCollector
from lossmon.prometheus.server import MetricsServer
from lossmon.prometheus.web_config import WebConfig
from lossmon.types import Snapshot

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
