"""Processes that hold GPU memory, and whether they belong to the watched run; from `/proc`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from lossmon.fast_dataclass import dataclass
from lossmon.types import GpuProcess

T = TypeVar("T")

NAME_LENGTH = 32
"""Most characters of a process name: more than any panel has room for."""

COMMAND_LENGTH = 400
"""Most characters of a command line: more than a wide terminal has room for."""

CPU_INTERVAL = 1.0
"""Seconds over which the use of processors is measured at least: a process on eight GPUs is looked
up eight times in a row."""

MAX_FILES = 2048
"""Most open files examined per process: a training with thousands of open data shards opened its
log before them, and descriptors are listed in that order."""

MAX_ANCESTORS = 16
"""Most parents examined: launchers are three or four levels deep."""

DEVICES = ("/dev/nvidia", "/dev/dxg")
"""Files that every process on a GPU has open (the second under WSL)."""

_USER_TIME, _SYSTEM_TIME, _START, _RSS = 11, 12, 19, 21
"""Places in `/proc/<pid>/stat` behind the name: ticks, ticks, ticks since boot, pages."""

_SECRET = re.compile(r"(?:^|[-_.])(?:key|token|secret|passwd|password)$", re.IGNORECASE)
"""Names of arguments whose values are not shown."""


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """A process: its name, empty if unknown, and whether it belongs to the run."""

    name: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class _Process:
    """Process as described in `/proc`."""

    pid: int
    parent: int
    arguments: tuple[str, ...]
    folder: str
    files: tuple[str, ...]
    readable: bool
    """Its open files could be listed."""
    stat: tuple[str, ...]
    """The fields of `/proc/<pid>/stat` behind the name."""

    @property
    def name(self) -> str:
        return printable(os.path.basename(self.arguments[0]) if self.arguments else "")


class Processes:
    """Looks processes up by their id.

    Args:
        directories: Absolute paths of the watched run: directories or single files.
        proc: Mount point of `/proc`.
        devices: Prefixes of the files that every process on a GPU has open.
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
        self._cpu: dict[tuple[int, str], tuple[float, float, float | None]] = {}
        """By process id and start: moment and processor seconds of the last measurement, and the
        share of a core until then."""
        self._users: dict[int, str] = {}

    def on_gpu(self, memory: Mapping[int, int | None]) -> tuple[GpuProcess, ...]:
        """Return the processes that hold memory of a GPU, largest first.

        Args:
            memory: Bytes by process id, None where the driver does not say.
        """
        known = self.look(memory)
        moment = time.monotonic()
        found = [self._described(pid, used, known[pid], moment) for pid, used in memory.items()]
        return tuple(sorted(found, key=lambda process: (-(process.memory_used or 0), process.pid)))

    def _described(
        self, pid: int, used: int | None, known: KnownProcess, moment: float
    ) -> GpuProcess:
        """Everything that a list of processes shows of one."""
        process = self._seen.get(pid)
        if process is None or not known.name or len(process.stat) < _RSS + 1:
            return GpuProcess(pid, known.name, used, known.own)
        ticks = os.sysconf("SC_CLK_TCK")
        seconds = (int(process.stat[_USER_TIME]) + int(process.stat[_SYSTEM_TIME])) / ticks
        boot = re.search(r"^btime (\d+)", self._text("stat"), re.MULTILINE)
        return GpuProcess(
            pid,
            known.name,
            used,
            known.own,
            self._user(pid),
            _command(process.arguments),
            self._share(pid, process.stat[_START], moment, seconds),
            int(process.stat[_RSS]) * os.sysconf("SC_PAGE_SIZE"),
            int(boot[1]) + int(process.stat[_START]) / ticks if boot else None,
        )

    def _share(self, pid: int, start: str, moment: float, seconds: float) -> float | None:
        """Percent of a core that a process used since the measurement before."""
        before = self._cpu.get((pid, start))
        if before is not None and moment - before[0] < CPU_INTERVAL:
            return before[2]
        share = None if before is None else 100 * (seconds - before[1]) / (moment - before[0])
        if len(self._cpu) >= MAX_FILES:
            self._cpu.clear()
        self._cpu[pid, start] = moment, seconds, share
        return share

    def _user(self, pid: int) -> str:
        status = _attempt(os.stat, f"{self._proc}/{pid}")
        if status is None:
            return ""
        if status.st_uid not in self._users:
            self._users[status.st_uid] = _user_name(status.st_uid)
        return self._users[status.st_uid]

    def look(self, pids: Iterable[int]) -> Mapping[int, KnownProcess]:
        """Return what is known about each process id now.

        A process belongs to the run if it, a parent or a child works in the run's directory, has
        one of its files open or has its path on the command line; or if it shares parent and
        program with such a process, as the ranks of one launcher do.
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
        """Return the process, unless the id belongs to another process here.

        In a container the driver may report the ids of the host, which mean other processes here:
        a process that has no GPU open is not the one that was meant.
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
        """Return the parent if it runs the same program, so that it is a launcher of ranks."""
        parent = self._process(process.parent) if process and process.parent > 1 else None
        if process is None or parent is None or parent.name != process.name:
            return None
        return parent.pid

    def _process(self, pid: int) -> _Process | None:
        if pid not in self._seen:
            self._seen[pid] = self._examine(pid)
        return self._seen[pid]

    def _examine(self, pid: int) -> _Process | None:
        # The name before the other fields may hold anything.
        stat = tuple(self._read(pid, "stat").rpartition(")")[2].split())
        if len(stat) < 2 or not stat[1].isdigit():
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
            int(stat[1]),
            arguments,
            _attempt(os.readlink, f"{folder}/cwd") or "",
            tuple(name for name in files if name),
            descriptors is not None,
            stat,
        )

    def _read(self, pid: int, name: str) -> str:
        """Return a small file of a process, empty if it cannot be read."""
        return self._text(f"{pid}/{name}")

    def _text(self, name: str) -> str:
        def content(path: str) -> str:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(65536)

        return _attempt(content, f"{self._proc}/{name}") or ""


def printable(text: str | bytes | None, length: int = NAME_LENGTH) -> str:
    """Return the start of an untrusted text without control characters."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    return "".join(letter for letter in (text or "")[:length] if letter.isprintable())


def _command(arguments: Sequence[str]) -> str:
    """A command line as one text, without the path of its program and without the values of keys,
    tokens and passwords."""
    shown, hidden = [os.path.basename(arguments[0])], False
    for argument in arguments[1:]:
        name, equals, _ = argument.partition("=")
        shown.append("***" if hidden else f"{name}=***" if _is_secret(name, equals) else argument)
        hidden = name.startswith("-") and not equals and _is_secret(name, "=")
    return printable(" ".join(shown).strip(), COMMAND_LENGTH)


def _is_secret(name: str, equals: str) -> bool:
    return bool(equals) and _SECRET.search(name) is not None


def _user_name(uid: int) -> str:
    import pwd  # Not on every system that this module is imported on.

    try:
        return printable(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return str(uid)


def _paths(process: _Process) -> Iterable[str]:
    """Yield the arguments as absolute paths: `--output_dir ./out` as well as `--dir=./out`."""
    for argument in process.arguments[1:]:
        name = argument.rpartition("=")[2]
        if name:
            yield os.path.normpath(os.path.join(process.folder, name))


def _attempt(call: Callable[[str], T], path: str) -> T | None:
    """Return the result of a call; None if the process has ended or may not be examined."""
    try:
        return call(path)
    except OSError:
        return None
