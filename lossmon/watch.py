"""Watch for changes of files: by events where the file system sends them, else by polling."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lossmon.filesystems import file_system, is_silent

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch

POLL = 1.0
"""Seconds between polls where there are no events: a network file system caches for longer."""

POLL_SHARE = 20.0
"""Polling may take a twentieth of the time, however slow the file system is."""

QUIET = 600.0
"""Seconds without a change after which a path is quiet: of a thousand runs few are at work."""

QUIET_TURNS = 10
"""Polls per look at a quiet path: each look is a question to the server of the file system."""

MOST_WATCHES = 48
"""Most directories watched by events. Each takes a thread of watchdog and, in its older versions,
one of the user's 128 inotify instances; further ones are polled."""

STOP_PATIENCE = 1.0
"""Seconds to wait for a thread to end; all of them are daemons."""

WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz", ".h5", ".tmp", ".lock")
"""Suffixes of files that hold no metrics and change often."""

EXHAUSTED = {
    errno.ENOSPC: "no inotify watches left (fs.inotify.max_user_watches)",
    errno.EMFILE: "no inotify instances left (fs.inotify.max_user_instances)",
    errno.ENFILE: "no file handles left",
    errno.ENOMEM: "no memory for inotify",
}
"""Why events may not be available, by error number."""

Status = tuple[int, int, int, int]


class Watch:
    """Sets one event when something under some paths may have changed.

    The directories of the paths are watched without their subdirectories, so the size of the tree
    does not matter; `update` adds the files that are read, wherever they are. Reading a file sets
    no event. Lost and repeated events do no harm: the event only asks for another look. All
    methods may be called from any thread.

    Args:
        paths: Directories and files; need not exist yet.
        changed: Set at each change, never cleared here.

    Attributes:
        events: Number of events that came so far.
    """

    def __init__(self, paths: Sequence[Path], changed: threading.Event) -> None:
        self.events = 0
        self._roots = tuple(paths)
        self._changed = changed
        self._lock = threading.Lock()
        self._files: frozenset[Path] = frozenset()
        self._observer: BaseObserver | None = None
        self._watched: dict[str, tuple[ObservedWatch, Status]] = {}
        self._polled: dict[str, Status | None] = {}
        self._kinds: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._refused = ""
        self._ended = threading.Event()
        self._poller: threading.Thread | None = None
        self._running = self._paused = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Which places are polled, and why."""
        with self._lock:
            return tuple(dict.fromkeys(self._reasons.values()))

    def start(self) -> None:
        """Start watching. Does nothing if it runs already or was stopped."""
        with self._lock:
            if self._running or self._ended.is_set():
                return
            self._running = True
            self._assign()

    def update(self, files: Iterable[Path]) -> None:
        """Watch these files instead of those of the last call; cheap if they are the same.

        Directories that were removed and created again are watched again.
        """
        wanted = frozenset(files)
        with self._lock:
            if wanted == self._files and not self._lost():
                return
            self._files = wanted
            if self._running:
                self._assign()

    def pause(self) -> None:
        """Watch nothing until `resume`: each write to a file wakes three threads of watchdog."""
        with self._lock:
            self._paused = True
            for directory in [*self._watched]:
                self._unwatch(directory)

    def resume(self) -> None:
        """Watch again after `pause`, and set the event for what came meanwhile."""
        with self._lock:
            if not self._paused:
                return
            self._paused = False
            if self._running:
                self._assign()
        self._changed.set()

    def stop(self) -> None:
        """Stop watching. Further calls do nothing."""
        self._ended.set()
        # A file system that hangs keeps the lock, but must not delay the exit.
        held = self._lock.acquire(timeout=STOP_PATIENCE)
        try:
            self._running = False
            observer, self._observer = self._observer, None
            poller, self._poller = self._poller, None
            self._watched.clear()
        finally:
            if held:
                self._lock.release()
        if observer is not None:
            observer.stop()
            observer.join(STOP_PATIENCE)
        if poller is not None and poller is not threading.current_thread():
            poller.join(STOP_PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _lost(self) -> set[str]:
        """Directories that were removed or replaced since they were watched."""
        # A new directory may get the inode of the old one, whose events have ended.
        emitters = () if self._observer is None else self._observer.emitters
        alive = {emitter.watch for emitter in emitters if emitter.is_alive()}
        return {
            path
            for path, (watch, was) in self._watched.items()
            if watch not in alive or _identity(_status(path)) != _identity(was)
        }

    def _assign(self) -> None:
        """Choose for each directory between events and polling."""
        if self._paused:
            return
        wanted = self._directories()
        self._reasons = {}
        polled: dict[str, Status | None] = {}
        lost = self._lost()
        for directory in [*self._watched]:
            if directory not in wanted or directory in lost:
                self._unwatch(directory)
        for directory, files in wanted.items():
            if reason := self._poll_reason(directory):
                self._reasons[directory] = reason
                polled |= {
                    path: self._polled.get(path, _status(path)) for path in [directory, *files]
                }
        self._polled = polled
        if polled and self._poller is None:
            self._poller = threading.Thread(target=self._poll, name="watch by polling", daemon=True)
            self._poller.start()

    def _directories(self) -> dict[str, list[str]]:
        """Watched files by directory, those that changed last first."""
        found: dict[str, list[str]] = {}
        for root in self._roots:
            path = os.path.realpath(root)
            if os.path.isfile(path):
                found.setdefault(os.path.dirname(path), []).append(path)
            else:
                found.setdefault(path, [])
        for file in sorted(self._files, key=_modified, reverse=True):
            path = os.path.abspath(file)
            found.setdefault(os.path.dirname(path), []).append(path)
        return found

    def _poll_reason(self, directory: str) -> str:
        """Why a directory is polled; empty if it is watched by events from now on."""
        if directory in self._watched:
            return ""
        if (status := _status(directory)) is None:
            return f"waiting for {directory}"
        kind = self._kinds.setdefault(directory, file_system(Path(directory)))
        if is_silent(kind):
            return f"polling: network file system ({kind})"
        if self._refused:
            return self._refused
        if len(self._watched) >= MOST_WATCHES:
            return f"polling: more than {MOST_WATCHES} directories to watch"
        try:
            self._watched[directory] = (self._schedule(directory), status)
        except FileNotFoundError:
            return f"waiting for {directory}"
        except OSError as error:
            reason = EXHAUSTED.get(error.errno or 0, error.strerror or str(error))
            if error.errno in EXHAUSTED:
                self._refused = f"polling: {reason}"
            return f"polling: {reason}"
        except RuntimeError:
            # Its threads need memory, and count as processes of the user.
            self._refused = "polling: no thread left"
            return self._refused
        return ""

    def _schedule(self, directory: str) -> ObservedWatch:
        # The first frame must not wait for these imports.
        import logging

        from watchdog.events import (
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileModifiedEvent,
            FileMovedEvent,
            FileSystemEventHandler,
        )
        from watchdog.observers import Observer

        if self._observer is None:
            observer = Observer()
            observer.start()
            self._observer = observer
            # It calls an event that comes while `pause` ends a watch an error, on stderr.
            logging.getLogger("watchdog").addHandler(logging.NullHandler())
        handler = FileSystemEventHandler()
        handler.on_any_event = self._on_event  # type: ignore[method-assign]
        # Without the events of opening and closing, which our own reading causes.
        return self._observer.schedule(
            handler,
            directory,
            event_filter=[
                *(FileModifiedEvent, FileCreatedEvent, FileDeletedEvent, FileMovedEvent),
                *(DirCreatedEvent, DirDeletedEvent, DirMovedEvent),
            ],
        )

    def _unwatch(self, directory: str) -> None:
        watch, _ = self._watched.pop(directory)
        if self._observer is not None:
            # The thread of a deleted directory may have ended by itself.
            with contextlib.suppress(KeyError, OSError):
                self._observer.unschedule(watch)

    def _on_event(self, event: FileSystemEvent) -> None:
        self.events += 1
        if not os.fsdecode(event.dest_path or event.src_path).endswith(WEIGHTS):
            self._changed.set()

    def _poll(self) -> None:
        wait = POLL
        for turn in count():
            if self._ended.wait(wait):
                return
            begin = time.monotonic()
            with self._lock:
                paths = list(self._polled.items())
            if turn % QUIET_TURNS:
                since = (time.time() - QUIET) * 1e9
                paths = [(path, was) for path, was in paths if was is None or was[3] > since]
            # Outside of the lock: a file system that hangs must not block the callers.
            changes = {path: now for path, was in paths if (now := _status(path)) != was}
            with self._lock:
                if not (self._running and self._polled):
                    self._poller = None
                    return
                self._polled |= {path: now for path, now in changes.items() if path in self._polled}
                if any(path in self._reasons for path in changes):
                    self._assign()
            if changes:
                self._changed.set()
            wait = max(POLL, POLL_SHARE * (time.monotonic() - begin))


def _status(path: str) -> Status | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _identity(status: Status | None) -> tuple[int, int] | None:
    return None if status is None else status[:2]


def _modified(path: Path) -> int:
    status = _status(str(path))
    return 0 if status is None else status[3]
