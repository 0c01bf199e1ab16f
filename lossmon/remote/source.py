"""Source of runs that lie elsewhere: a mirror that a thread keeps, and a monitor on it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from lossmon.config import Config
from lossmon.ending import held_signals
from lossmon.errors import ConfigError, internal_error
from lossmon.monitor import LocalSource, MonitorConfig
from lossmon.remote.files import RemoteError, RemotePlace
from lossmon.remote.mirror import Mirror
from lossmon.types import MetricNames, RunSnapshot, Snapshot

INTERVAL = 3.0
"""Seconds between two looks at the least: object stores bill listings."""

SHARE = 10.0
"""Looks may take a tenth of the time, however far the place is."""

SLOWEST = 30.0
"""Seconds between two looks at the most, where nothing has changed for long."""

CALMER = 1.25
"""Factor of the time between two looks after each at which nothing had changed."""

STOP_PATIENCE = 3.0
"""Seconds that the thread may take to see that the place is closed."""


class RemoteSource:
    """Runs at one place elsewhere.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        place: RemotePlace,
        config: MonitorConfig,
        changed: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed = changed
        self._place, self._config, self._clock = place, config, clock
        self._local: LocalSource | None = None
        self._begun = False
        self._names: MetricNames | None = None
        self._note = ""
        self._interval = INTERVAL
        self._answered, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._shown: dict[Path, tuple[RunSnapshot, RunSnapshot]] = {}
        self._plain, self._translated = Snapshot(), Snapshot()
        # Runs are called after the end of their path, and so is what stands for them here.
        with held_signals():
            kept = self._kept = Path(tempfile.mkdtemp(prefix="lossmon-remote-"))
            # A signal may end the program before anybody can call `stop`.
            atexit.register(self.stop)
        name = place.name.rstrip("/").rpartition("/")[2].rpartition(":")[2]
        self._root = kept / (name.strip(".") or "runs")
        self._root.mkdir()
        self._mirror = Mirror(place, self._root)

    # --------------------------------------------------------------------------- any thread

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read what was mirrored; before the first look waits for it, for `budget` seconds."""
        self._start()
        if not self._answered.wait(budget) or self._local is None:
            waiting, notes = self._place.name, (self._note or f"connecting to {self._place.name}",)
            if (self._translated.waiting_for, self._translated.notes) != (waiting, notes):
                self._translated = Snapshot(waiting_for=waiting, notes=notes)
            return self._translated
        return self._translate(self._local.poll(budget, judge=judge))

    def drain(self) -> Snapshot:
        """Wait for the first look, and read all that it brought."""
        self._start()
        self._answered.wait()
        if self._local is None:
            return self.poll(0.0)
        return self._translate(self._local.drain())

    def begin(self) -> None:
        """Watch the mirror."""
        self._begun = True
        if self._local is not None:
            self._local.begin()

    def prioritise(self, paths: Collection[Path]) -> None:
        """Judge these runs before the others."""
        if self._local is not None:
            self._local.prioritise([self._here(path) for path in paths])

    def set_metric_names(self, names: MetricNames) -> None:
        """Replace the user's names of metrics."""
        self._names = names
        if self._local is not None:
            self._local.set_metric_names(names)

    def load_settings(self, paths: Collection[Path]) -> None:
        """Read the settings files of these runs."""
        if self._local is not None:
            self._local.load_settings([self._here(path) for path in paths])

    def stop(self) -> None:
        """End the mirror and remove it."""
        self._ended.set()
        self._place.close()
        if self._local is not None:
            self._local.stop()
        if self._thread is not None:
            self._thread.join(STOP_PATIENCE)
        if self._thread is None or not self._thread.is_alive():
            self._place.disconnect()
        shutil.rmtree(self._kept, ignore_errors=True)
        atexit.unregister(self.stop)

    # --------------------------------------------------------------------------- its thread

    def _start(self) -> None:
        if self._thread is None and not self._ended.is_set():
            self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while not self._ended.is_set():
            begin = self._clock()
            try:
                changed = self._mirror.update()
                self._note = ""
                self._found()
            except RemoteError as error:
                changed = False
                self._note = f"{error}; tried again"
                self._place.disconnect()
            except Exception as error:
                changed = False
                self._note = internal_error(error)
            if self._ended.is_set():
                return
            self._answered.set()
            self.changed.set()
            took = self._clock() - begin
            calm = INTERVAL if changed else min(SLOWEST, CALMER * self._interval)
            self._interval = max(calm, SHARE * took)
            self._ended.wait(self._interval)

    def _found(self) -> None:
        """Begin to read, once something is here."""
        if self._local is not None:
            return
        local = LocalSource(
            [self._mirror.target], self._config, hardware=False, changed=self.changed
        )
        if self._names is not None:
            local.set_metric_names(self._names)
        self._local = local
        if self._begun:
            local.begin()

    # ---------------------------------------------------------------------------- translation

    def _translate(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the paths of the other side."""
        notes = (*snapshot.notes, *self._mirror.notes, *((self._note,) if self._note else ()))
        if snapshot is not self._plain or notes != self._translated.notes:
            runs = tuple(self._shown_run(run) for run in snapshot.runs)
            waiting = snapshot.waiting_for and self._place.name
            self._plain = snapshot
            self._translated = replace(snapshot, runs=runs, waiting_for=waiting, notes=notes)
        return self._translated

    def _shown_run(self, run: RunSnapshot) -> RunSnapshot:
        known = self._shown.get(run.path)
        if known is None or known[0] is not run:
            known = self._shown[run.path] = (run, replace(run, path=self._there(run.path)))
        return known[1]

    def _there(self, path: Path) -> Path:
        """A path of the mirror as one of the other side."""
        target = self._mirror.target
        inner = "" if path == target else path.relative_to(self._root).as_posix()
        return Path(self._place.name) / inner

    def _here(self, path: Path) -> Path:
        """A path of the other side as one of the mirror."""
        place = Path(self._place.name)
        if path == place or not path.is_relative_to(place):
            return self._mirror.target
        return self._root / path.relative_to(place)


SSH = ("ssh", "sftp")
"""Schemes that the `ssh` of this machine serves."""


def open_source(address: str, config: Config, changed: threading.Event) -> RemoteSource:
    """Make a source of the runs at an address; `ssh` may ask for a password now, not later.

    Raises:
        ConfigError: The address is not one, a library is missing or the host is not reached.
    """
    return RemoteSource(_place(address), MonitorConfig.of(config), changed)


def _place(address: str) -> RemotePlace:
    if address.partition("://")[0].lower() in SSH:
        from lossmon.remote.ssh_place import SshPlace

        place = SshPlace(address)
        try:
            place.connect(prompt=True)
        except RemoteError as error:
            raise ConfigError(str(error)) from error
        return place
    from lossmon.remote.store_place import StorePlace

    return StorePlace(address)
