"""Exporter: runs that are followed without a screen, served to Prometheus over HTTP."""

from __future__ import annotations

import platform
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, make_wsgi_app
from prometheus_client.registry import Collector

from lossmon.fast_dataclass import dataclass
from lossmon.monitor import RunSource
from lossmon.monitor.follow import Follower
from lossmon.prometheus.web_config import BasicAuth, WebConfig
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


TIMEOUT = 10.0
"""Seconds that a client may be silent before its connection is closed."""

_INDEX = b"""<!doctype html><title>lossmon exporter</title>
<h1>lossmon exporter</h1><p><a href="/metrics">Metrics</a></p>
"""

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]
App = Callable[[Environ, Start], Iterable[bytes]]


def metrics_app(registry: CollectorRegistry, auth: BasicAuth) -> App:
    """The WSGI application: `/metrics` for who is allowed, a link to it at `/`."""
    metrics: App = make_wsgi_app(registry)

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        if not auth.allows(environ.get("HTTP_AUTHORIZATION")):
            start(
                "401 Unauthorized",
                [("WWW-Authenticate", "Basic"), ("Content-Type", "text/plain; charset=utf-8")],
            )
            return [b"Unauthorized\n"]
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start)
        if environ["PATH_INFO"] == "/":
            start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
            return [_INDEX]
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Not Found\n"]

    return app


class _Handler(WSGIRequestHandler):
    timeout = TIMEOUT

    def log_message(self, format: str, *arguments: object) -> None:
        """A request every few seconds is not worth a line."""

    def handle(self) -> None:
        # A client that goes away, or does not speak TLS, is its own affair.
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            self.close_connection = True


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A request that fails costs itself only; its client has been answered or is gone."""


class MetricsServer:
    """Serves metrics from a thread.

    Args:
        port: Port, 0 for any that is free.

    Attributes:
        url: Where the metrics are.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, config: WebConfig
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("_FamilyServer", (_Server,), {"address_family": family})
        self._server: WSGIServer = server((host, port), _Handler)
        self._server.set_app(metrics_app(registry, BasicAuth(config.users)))
        if config.tls is not None:
            # The handshake is left to the thread of the connection: a slow client blocks no other.
            self._server.socket = config.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if config.tls is None else "https"
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{shown}:{self._server.server_port}/metrics"
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
