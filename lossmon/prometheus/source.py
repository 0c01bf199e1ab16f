"""Source of runs that a Prometheus server knows: the fleet of a whole cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from lossmon.config import Config
from lossmon.errors import internal_error
from lossmon.prometheus.client import PrometheusClient, PrometheusError
from lossmon.prometheus.curves import read_curves, read_start, read_trends, with_curves
from lossmon.prometheus.fleet import FIRST, REST, FleetSnapshots, Key, ServerRow, read_rows
from lossmon.prometheus.node_metrics import NodeReader
from lossmon.types import MetricNames, NodeReading, RunSnapshot, Series, Snapshot

INTERVAL = 10.0
"""Seconds between two looks at all runs: exporters are scraped every fifteen or so."""

SHARE = 10.0
"""Looks may take a tenth of the time, however slow the server is."""

SPAN = 6 * 3600.0
"""Seconds back of the trends in a list."""

KEPT = 200
"""Runs whose curves are kept."""


_Parts = tuple[RunSnapshot, tuple[Series, ...] | None, tuple[NodeReading, ...] | None]
"""A run without curves, its curves and its nodes."""


class PrometheusSource:
    """Runs, curves and hardware from one server; a thread asks, so that nothing waits for it.

    Args:
        changed: The event to set; one of its own if None.
        clock: Seconds since the Unix epoch.

    Raises:
        ConfigError: The address is not one.
    """

    def __init__(
        self,
        url: str,
        changed: threading.Event | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.changed = changed or threading.Event()
        self._client = PrometheusClient(url)
        self._clock = clock
        self._fleet = FleetSnapshots()
        self._nodes = NodeReader(self._client)
        self._keys: dict[Path, Key] = {}
        self._wanted: tuple[Path, ...] = ()
        self._starts: dict[Key, float] = {}
        self._curves: dict[Key, tuple[Series, ...]] = {}
        self._hardware: dict[Key, tuple[NodeReading, ...]] = {}
        self._completed: dict[Key, tuple[_Parts, RunSnapshot]] = {}
        self._runs: dict[Key, RunSnapshot] = {}
        self._error = ""
        self._snapshot = Snapshot(waiting_for=f"runs on {self._client.name}")
        self._answered, self._whole = threading.Event(), threading.Event()
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    # --------------------------------------------------------------------------- any thread

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """The newest snapshot; before the first answer waits for it, for `budget` seconds."""
        self._start()
        self._answered.wait(budget)
        return self._snapshot

    def drain(self) -> Snapshot:
        """Wait until the server has answered every query, or has failed to."""
        self._start()
        self._whole.wait()
        return self._snapshot

    def _start(self) -> None:
        if self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._work, name="Prometheus", daemon=True)
            self._thread.start()

    def begin(self) -> None:
        """Nothing: the first poll began it."""

    def prioritise(self, paths: Collection[Path]) -> None:
        """Ask for the curves of these runs; for one alone finely, and for its hardware."""
        wanted = tuple(paths)
        if wanted != self._wanted:
            self._wanted = wanted
            self._wake.set()

    def set_metric_names(self, names: MetricNames) -> None:
        """Nothing: the exporters know what their metrics are."""

    def load_settings(self, paths: Collection[Path]) -> None:
        """Nothing: settings are not exported."""

    def stop(self) -> None:
        """Ask no more; a question that is on its way is not waited for."""
        self._ended = True
        self._wake.set()

    # --------------------------------------------------------------------------- its thread

    def _work(self) -> None:
        due = 0.0
        while not self._ended:
            self._wake.clear()
            begin = time.monotonic()
            try:
                if begin >= due:
                    self._read_fleet()
                    due = begin + max(INTERVAL, SHARE * (time.monotonic() - begin))
                self._read_wanted()
                self._error = ""
            except PrometheusError as error:
                self._error = f"{error}; asked again every {INTERVAL:.0f} s"
            except Exception as error:
                self._error = internal_error(error)
            if self._error:
                due = time.monotonic() + INTERVAL
            self._publish()
            self._answered.set()
            self._whole.set()
            self._wake.wait(max(0.0, due - time.monotonic()))

    def _read_fleet(self) -> None:
        """Read every run, at first only what the first frame needs."""
        if not self._runs:
            self._set_runs(read_rows(self._client, FIRST))
            self._answered.set()
        self._set_runs(read_rows(self._client, (*FIRST, *REST)))

    def _set_runs(self, rows: dict[Key, ServerRow]) -> None:
        self._runs = self._fleet.of(rows)
        self._keys = {run.path: key for key, run in self._runs.items()}
        self._publish()

    def _read_wanted(self) -> None:
        """Read the curves of what is looked at, and the hardware of one run alone."""
        keys = [key for path in self._wanted if (key := self._keys.get(path)) is not None]
        now = self._clock()
        if len(keys) == 1:
            (key,) = keys
            if key not in self._starts:
                self._starts[key] = read_start(self._client, key, now)
            self._keep({key: read_curves(self._client, key, self._starts[key], now)})
            self._publish()
            nodes = self._nodes.read(key)
            if nodes != self._hardware.get(key):
                self._hardware = {key: nodes}
        elif fresh := [key for key in keys if key not in self._curves]:
            self._keep(read_trends(self._client, fresh, SPAN, now))

    def _keep(self, curves: dict[Key, tuple[Series, ...]]) -> None:
        if len(self._curves) + len(curves) > KEPT:
            self._curves = {}
        self._curves = {**self._curves, **curves}

    def _publish(self) -> None:
        """Make a snapshot of what is known, if it differs from the one before."""
        runs = tuple(self._complete(key, run) for key, run in self._runs.items())
        notes = (self._error,) if self._error else ()
        before = self._snapshot
        same = len(runs) == len(before.runs) and all(
            one is other for one, other in zip(runs, before.runs, strict=True)
        )
        if not same or notes != before.notes:
            waiting = "" if runs else f"runs on {self._client.name}"
            self._snapshot = replace(
                before, time=self._clock(), runs=runs, notes=notes, waiting_for=waiting
            )
            self.changed.set()

    def _complete(self, key: Key, run: RunSnapshot) -> RunSnapshot:
        """A run with its curves and its hardware, as far as they were read."""
        parts = run, self._curves.get(key), self._hardware.get(key)
        if parts[1] is None and parts[2] is None:
            return run
        known = self._completed.get(key)
        if known is None or any(one is not part for one, part in zip(known[0], parts, strict=True)):
            made = replace(with_curves(run, parts[1] or ()), nodes=parts[2] or ())
            known = self._completed[key] = (parts, made)
        return known[1]


def open_source(address: str, config: Config, changed: threading.Event) -> PrometheusSource:
    """Make a source of the runs that a server knows.

    Raises:
        ConfigError: The address is not one.
    """
    _, _, url = address.partition("+")
    return PrometheusSource(url, changed)
