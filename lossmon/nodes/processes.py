"""Processes of a run on this node, and their activity."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.hardware.processes import Processes, printable
from lossmon.types import NodeProcess, ProcessState

SCAN_INTERVAL = 60.0
"""Seconds between looks at all processes; those that are known are looked at each time."""

BUSY = 5.0
"""Percent of one core from which a process counts as busy."""

BLOCKED_LOOKS = 2
"""Looks in a row at which a process waits for a disk before it counts as blocked."""

GONE_LOOKS = 12
"""Looks at which a process that ended is still listed."""

MOST = 32
"""Processes that are listed: more than a node has GPUs."""

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "fish", "ksh", "tcsh", "csh", "tee"})
"""Programs that start a training or keep its log, but do not train."""

RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
"""Variables in which launchers tell a process its global rank."""


@dataclass(slots=True)
class _Member:
    """A process of the run.

    Attributes:
        pid: Process id.
        started: When it began, as the kernel counts: a pid may be given to another process.
        parent: Process id of its parent.
        name: Executable name.
        rank: Global rank of its launcher, None where there is none.
        seconds: Processor time that it used, at `moment`.
        moment: `time.monotonic()` of the look before, None before the first.
        cpu: Percent of one core between the last two looks.
        blocked: Looks in a row at which it waited for a disk.
        gone: Looks since it ended.
        state: What it is doing.
    """

    pid: int
    started: str
    parent: int
    name: str
    rank: int | None
    seconds: float = 0.0
    moment: float | None = None
    cpu: float | None = None
    blocked: int = 0
    gone: int = 0
    state: ProcessState = ProcessState.IDLE


class RunProcesses:
    """Finds the processes of a run here and samples them.

    Args:
        directories: The run: directories or single files, absolute.
        proc: Where `/proc` is mounted.
    """

    def __init__(self, directories: tuple[str, ...], proc: Path = Path("/proc")) -> None:
        self._proc = str(proc)
        # Any process may train, with a GPU or without.
        self._lookup = Processes(directories, proc, devices=("",))
        self._members: dict[int, _Member] = {}
        self._next_scan = -1.0
        self._ticks = float(os.sysconf("SC_CLK_TCK"))

    def sample(self, moment: float, on_gpu: Iterable[int] = ()) -> tuple[NodeProcess, ...]:
        """Return the processes by rank, those without a rank last.

        Args:
            moment: `time.monotonic()` seconds.
            on_gpu: Processes of the run that hold GPU memory.
        """
        if moment >= self._next_scan:
            self._next_scan = moment + SCAN_INTERVAL
            self._scan()
        for pid in on_gpu:
            self._add(pid)
        for member in list(self._members.values()):
            self._look(member, moment)
            if member.gone > GONE_LOOKS:
                del self._members[member.pid]
        return self._listed()

    def _scan(self) -> None:
        excluded = self._own()
        mine = (pid for pid in self._pids() if pid not in excluded and pid not in self._members)
        for pid, known in self._lookup.look(mine).items():
            if known.own:
                self._add(pid)

    def _pids(self) -> Iterable[int]:
        for name in os.listdir(self._proc):
            if name.isdecimal():
                try:
                    owner = os.stat(f"{self._proc}/{name}").st_uid
                except OSError:
                    continue
                if owner == os.getuid():
                    yield int(name)

    def _own(self) -> set[int]:
        """This process and those above it: they name the run on their command lines too."""
        found, pid = {os.getpid()}, os.getppid()
        while pid > 1 and pid not in found:
            found.add(pid)
            fields = self._stat(pid)
            pid = int(fields[1]) if fields else 0
        return found

    def _add(self, pid: int) -> None:
        fields = self._stat(pid)
        known = self._members.get(pid)
        if fields is None or (known is not None and known.started == fields[19]):
            return
        arguments = [os.path.basename(one) for one in self._read(pid, "cmdline").split("\0")]
        name = printable(arguments[0].lstrip("-"))
        if name in SHELLS or "lossmon" in arguments[:3]:
            return
        rank = _rank(self._read(pid, "environ"))
        self._members[pid] = _Member(pid, fields[19], int(fields[1]), name, rank)

    def _look(self, member: _Member, moment: float) -> None:
        fields = self._stat(member.pid)
        if fields is None or fields[19] != member.started or fields[0] in "ZX":
            member.gone += 1
            member.state, member.cpu = ProcessState.GONE, None
            return
        seconds = (int(fields[11]) + int(fields[12])) / self._ticks
        if member.moment is not None and moment > member.moment:
            share = (seconds - member.seconds) / (moment - member.moment)
            member.cpu = max(0.0, round(100 * share, 1))
        member.seconds, member.moment = seconds, moment
        member.blocked = member.blocked + 1 if fields[0] == "D" else 0
        if member.blocked >= BLOCKED_LOOKS:
            member.state = ProcessState.BLOCKED
        elif fields[0] in "Tt":
            member.state = ProcessState.STOPPED
        else:
            is_busy = fields[0] == "R" or (member.cpu or 0.0) >= BUSY
            member.state = ProcessState.BUSY if is_busy else ProcessState.IDLE

    def _listed(self) -> tuple[NodeProcess, ...]:
        """One process per rank, and of those without one each family: the one that works most."""
        families: dict[tuple[bool, int], _Member] = {}
        for member in self._members.values():
            key = (member.rank is None, self._head(member) if member.rank is None else member.rank)
            families[key] = max(families.get(key, member), member, key=_weight)
        return tuple(
            NodeProcess(one.pid, one.name, one.state, one.cpu, one.rank)
            for _, one in sorted(families.items())[:MOST]
        )

    def _head(self, member: _Member) -> int:
        """Process that started the family of another one, as a trainer starts data loaders."""
        seen = set()
        while (parent := self._members.get(member.parent)) and parent.pid not in seen:
            seen.add(parent.pid)
            member = parent
        return member.pid

    def _stat(self, pid: int) -> list[str] | None:
        """The fields of `/proc/<pid>/stat` behind the name, which may hold anything."""
        fields = self._read(pid, "stat").rpartition(")")[2].split()
        return fields if len(fields) > 19 else None

    def _read(self, pid: int, name: str) -> str:
        try:
            with open(f"{self._proc}/{pid}/{name}", encoding="utf-8", errors="replace") as file:
                return file.read(1 << 18)
        except OSError:
            return ""


def _rank(environment: str) -> int | None:
    variables: Mapping[str, str] = dict(
        entry.split("=", 1) for entry in environment.split("\0") if "=" in entry
    )
    named = (variables.get(name, "") for name in RANKS)
    return next((int(rank) for rank in named if rank.isdecimal() and len(rank) < 9), None)


def _weight(member: _Member) -> tuple[bool, bool, float]:
    return (
        member.state is not ProcessState.GONE,
        member.state is ProcessState.BLOCKED,
        member.cpu or 0.0,
    )
