"""Who holds GPU memory, and whether that is the training we watch; read from `/proc`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from lossmon.fast_dataclass import dataclass

T = TypeVar("T")

NAME_LENGTH = 32
"""Characters of a process name that are kept: more than any panel has room for."""

MAX_FILES = 2048
"""Open files of one process that are looked at: a training that holds thousands of data shards
opened its log long before them, and descriptors are listed in that order."""

MAX_ANCESTORS = 16
"""Parents that are looked at: launchers are three or four deep."""

DEVICES = ("/dev/nvidia", "/dev/dxg")
"""What every process that uses a GPU has open (the second under WSL)."""


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """What can be said of a process: its name, empty if it cannot be known; whether it is ours."""

    name: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class _Process:
    """What `/proc` says of one process."""

    pid: int
    parent: int
    arguments: tuple[str, ...]
    folder: str
    files: tuple[str, ...]
    readable: bool
    """Its open files could be listed."""

    @property
    def name(self) -> str:
        return printable(os.path.basename(self.arguments[0]) if self.arguments else "")


class Processes:
    """Looks processes up.

    Args:
        directories: Where the watched run lives: directories or single files, absolute.
        proc: Where `/proc` is mounted.
        devices: How the names of the files begin that every process on a GPU has open.
    """

    def __init__(
        self,
        directories: Sequence[str] = (),
        proc: Path = Path("/proc"),
        devices: tuple[str, ...] = DEVICES,
    ) -> None:
        self.directories = tuple(directories)
        self._proc = str(proc)
        self._devices = devices
        self._seen: dict[int, _Process | None] = {}

    def look(self, pids: Iterable[int]) -> Mapping[int, KnownProcess]:
        """Return what is known of each process id now.

        A process is part of the training if it, a parent or a child works in the run's directory,
        has one of its files open or is told of it on its command line; or if it has the parent and
        the program in common with such a one, as the ranks of one launcher have.
        """
        self._seen = {}
        found = {pid: self._visible(pid) for pid in pids}
        ours = {pid for pid, process in found.items() if process and self._is_own(process)}
        launchers = {self._launcher(found[pid]) for pid in ours} - {None}
        return {
            pid: KnownProcess(process.name, pid in ours or self._launcher(process) in launchers)
            if process
            else KnownProcess()
            for pid, process in found.items()
        }

    def _visible(self, pid: int) -> _Process | None:
        """Return the process, unless its number belongs to another one here.

        In a container the driver may report the ids of the host, where the same number is
        somebody else: who has no GPU open is not the one that was meant.
        """
        process = self._process(pid)
        if process is None or not process.readable:
            return process
        return process if any(name.startswith(self._devices) for name in process.files) else None

    def _is_own(self, process: _Process) -> bool:
        return (
            self._touches(process)
            or any(self._touches(each) for each in self._ancestors(process))
            or any(self._touches(each) for each in self._children(process))
        )

    def _touches(self, process: _Process) -> bool:
        names = (process.folder, *process.files, *_paths(process))
        return any(
            name == directory or name.startswith(directory.rstrip("/") + "/")
            for directory in self.directories
            for name in names
        )

    def _ancestors(self, process: _Process) -> Iterable[_Process]:
        for _ in range(MAX_ANCESTORS):
            parent = self._process(process.parent) if process.parent > 1 else None
            if parent is None:
                return
            yield parent
            process = parent

    def _children(self, process: _Process) -> Iterable[_Process]:
        listed = self._read(process.pid, f"task/{process.pid}/children")
        for pid in listed.split()[:MAX_ANCESTORS]:
            child = self._process(int(pid))
            if child is not None:
                yield child

    def _launcher(self, process: _Process | None) -> int | None:
        """Return the parent if it runs the same program: then it starts ranks, not jobs."""
        parent = self._process(process.parent) if process and process.parent > 1 else None
        if process is None or parent is None or parent.name != process.name:
            return None
        return parent.pid

    def _process(self, pid: int) -> _Process | None:
        if pid not in self._seen:
            self._seen[pid] = self._examine(pid)
        return self._seen[pid]

    def _examine(self, pid: int) -> _Process | None:
        parent = _parent(self._read(pid, "stat"))
        if parent is None:
            return None
        arguments = tuple(self._read(pid, "cmdline").split("\0"))
        if not arguments[0]:
            arguments = (self._read(pid, "comm").strip(),)
        folder = f"{self._proc}/{pid}"
        descriptors = _attempt(os.listdir, f"{folder}/fd")
        files = [
            _attempt(os.readlink, f"{folder}/fd/{each}") for each in (descriptors or ())[:MAX_FILES]
        ]
        return _Process(
            pid,
            parent,
            arguments,
            _attempt(os.readlink, f"{folder}/cwd") or "",
            tuple(name for name in files if name),
            descriptors is not None,
        )

    def _read(self, pid: int, name: str) -> str:
        """Return a small file of a process, empty if there is none or it is not for us."""

        def content(path: str) -> str:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(65536)

        return _attempt(content, f"{self._proc}/{pid}/{name}") or ""


def printable(text: str | bytes | None) -> str:
    """Return the beginning of a text from outside without anything that steers a terminal."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    return "".join(letter for letter in (text or "")[:NAME_LENGTH] if letter.isprintable())


def _parent(stat: str) -> int | None:
    """Return the parent's id from `/proc/<pid>/stat`; the name before it may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else None


def _paths(process: _Process) -> Iterable[str]:
    """Yield the arguments as absolute paths: `--output_dir ./out` as well as `--dir=./out`."""
    for argument in process.arguments[1:]:
        name = argument.rpartition("=")[2]
        if name:
            yield os.path.normpath(os.path.join(process.folder, name))


def _attempt(call: Callable[[str], T], path: str) -> T | None:
    """Return what a look at a process gives; None if it ended meanwhile or is not ours to see."""
    try:
        return call(path)
    except OSError:
        return None
