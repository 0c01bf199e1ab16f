"""Source whose polls return in time, although a file system may not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from lossmon.filesystems import PathLook
from lossmon.monitor.source import RunSource
from lossmon.types import MetricNames, Snapshot

PATIENCE = 5.0
"""Seconds for which a poll is waited for: a busy server answers within them."""

AGAIN = 0.5
"""Seconds for which each later poll waits for the one that is late."""

STOPPING = 2.0
"""Seconds for which the end of the source is waited for."""


class PatientSource:
    """A source that polls in a thread, and gives its last snapshot with a note while that hangs.

    Args:
        source: Where the runs come from.
        place: Names the file system in the note (`/mnt/runs (nfs4)`).
        patience: Seconds for which a poll is waited for.
        looks: Looks that have not been answered: the source is left alone until they are.
    """

    def __init__(
        self,
        source: RunSource,
        place: str,
        patience: float = PATIENCE,
        *,
        looks: Sequence[PathLook] = (),
    ) -> None:
        self.changed = source.changed
        self.prioritise: Callable[[Collection[Path]], None] = source.prioritise
        self.set_metric_names: Callable[[MetricNames], None] = source.set_metric_names
        self.load_settings: Callable[[Collection[Path]], None] = source.load_settings
        self.drain: Callable[[], Snapshot] = source.drain
        self._source, self._place, self._patience = source, place, patience
        self._looks, self._is_late = looks, bool(looks)
        self._answers = threading.Event()
        if not looks:
            self._answers.set()
        self._wanted = threading.Condition()
        self._request: tuple[float, bool] | None = None
        self._done = threading.Event()
        self._asked_at = 0.0
        self._result: Snapshot | BaseException = Snapshot()
        self._last = Snapshot()
        self._late: Snapshot | None = None
        self._is_ended = False
        self._thread: threading.Thread | None = None

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        """Read what is new; the last snapshot, with a note, where that does not return in time."""
        if self._late is None:
            self._ask(budget, judge)
        if not self._done.wait(AGAIN if self._is_late else budget + self._patience):
            self._is_late = True
            return self._noted()
        self._is_late, self._late = False, None
        if isinstance(self._result, BaseException):
            raise self._result
        self._last = self._result
        return self._last

    def begin(self) -> None:
        """Start the source in a thread of its own: it asks the file system as well."""
        threading.Thread(target=self._begin, name="patient begin", daemon=True).start()

    def stop(self) -> None:
        """End it; what hangs is not waited for."""
        with self._wanted:
            self._is_ended = True
            self._wanted.notify()
        stopping = threading.Thread(target=self._source.stop, name="patient stop", daemon=True)
        stopping.start()
        stopping.join(STOPPING)

    def _begin(self) -> None:
        self._answers.wait()
        if not self._is_ended:
            self._source.begin()

    def _ask(self, budget: float, judge: bool) -> None:
        """Have the thread poll once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="patient polls", daemon=True)
            self._thread.start()
        with self._wanted:
            self._done.clear()
            self._asked_at = time.time()
            self._request = (budget, judge)
            self._wanted.notify()

    def _work(self) -> None:
        for look in self._looks:
            while not look.answered(AGAIN) and not self._is_ended:
                continue
        self._answers.set()
        while True:
            with self._wanted:
                self._wanted.wait_for(lambda: self._request is not None or self._is_ended)
                if self._request is None or self._is_ended:
                    return
                (budget, judge), self._request = self._request, None
            try:
                self._result = self._source.poll(budget, judge=judge)
            except BaseException as error:
                self._result = error
            self._done.set()
            if self._late is not None:
                self.changed.set()

    def _noted(self) -> Snapshot:
        """The last snapshot, and since when nothing newer comes."""
        if self._late is None:
            since = time.strftime("%H:%M:%S", time.localtime(self._asked_at))
            note = f"{self._place} has not answered since {since}: the file system may be down"
            waiting = self._last.waiting_for or ("" if self._last.runs else self._place)
            notes = (note, *self._last.notes)
            self._late = replace(self._last, notes=notes, waiting_for=waiting, busy=False)
        return self._late
