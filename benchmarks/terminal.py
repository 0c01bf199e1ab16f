"""Programs in an emulated terminal, and their cost."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyte

BRAILLE = range(0x2801, 0x2900)
"""Characters that only curves are drawn with."""


@dataclass(slots=True)
class Cost:
    """Measurements of a program in a terminal.

    Attributes:
        shown: Seconds from its start until the screen showed what was waited for, or None.
        colors: Colours of the text that the screen had then.
        cpu: CPU seconds of the process tree per second, after it settled.
        bytes_per_second: Written to the terminal after it settled.
        wakeups: How often a thread of it woke per second after it settled; 0 but on Linux.
        memory: Resident bytes of the process tree at the end.
        display: The last screen, one line per row.
        status: Exit status if it ended by itself.
        answers: Seconds between each probe key and the change it asks for.
    """

    shown: float | None = None
    colors: int = 0
    cpu: float = 0.0
    bytes_per_second: float = 0.0
    wakeups: float = 0.0
    memory: int = 0
    display: list[str] = field(default_factory=list)
    status: int | None = None
    answers: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Probe:
    """A key that is typed again and again, from when the first curve shows until the end.

    Attributes:
        key: Opens a view, and closes it again.
        text: Stands on the screen while that view is open.
        start: What must be on the screen for the first time it is typed.
    """

    key: str
    text: str
    start: Callable[[Sequence[str]], bool]


def has_curve(display: Sequence[str]) -> bool:
    """Whether a curve is on the screen: some ten braille cells."""
    return sum(ord(cell) in BRAILLE for line in display for cell in line) >= 10


def has_text(text: str) -> Callable[[Sequence[str]], bool]:
    """Whether a text stands in one line of the screen."""
    return lambda display: any(text in line for line in display)


def run(
    command: Sequence[str],
    *,
    shows: Callable[[Sequence[str]], bool],
    size: tuple[int, int] = (120, 40),
    settle: float = 3.0,
    seconds: float = 0.0,
    keys: Sequence[str] = (),
    probe: Probe | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Cost:
    """Start a program in a terminal of its own and watch it.

    Args:
        command: Program and arguments.
        shows: What is waited for on the screen.
        size: Columns and rows.
        settle: Seconds before CPU and bytes are measured.
        seconds: Seconds in which they are measured; 0 ends as soon as `shows` is true.
        keys: Typed one by one after it settled.
        probe: How soon the program answers, until it shows what is waited for.
        environment: Variables added or changed.
        directory: Where to start it.
    """
    begin = time.perf_counter()
    terminal = started(command, size, environment, directory)
    try:
        if probe is not None:
            return _question(terminal, begin, shows, probe)
        return _watch(terminal, begin, shows, settle, seconds, list(keys))
    finally:
        terminal.end()


def started(
    command: Sequence[str],
    size: tuple[int, int],
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Emulated:
    """Start a program in a terminal of its own; `end` has to be called."""
    columns, rows = size
    pid, fd = pty.fork()
    if pid == 0:
        if directory is not None:
            os.chdir(directory)
        variables = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        os.environ.update(variables, COLUMNS=str(columns), LINES=str(rows))
        os.environ.update(environment or {})
        os.execvp(command[0], list(command))
    terminal = Emulated(pid, fd, columns, rows)
    terminal.resize(size)
    return terminal


TAIL = 4096
"""Newest bytes of a program that are kept."""


class Emulated:
    """The screen that a program draws on, and the program's process.

    Attributes:
        pid: Of the process.
        written: Bytes that it has written.
        tail: The newest of them.
        status: Its exit status, None while it goes on.
        screen: What they draw.
    """

    def __init__(self, pid: int, fd: int, columns: int, rows: int) -> None:
        self.pid = pid
        self.fd = fd
        self.written = 0
        self.tail = b""
        self.status: int | None = None
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._process = psutil.Process(pid)

    def pump(self, timeout: float) -> bool:
        """Draw what the program wrote; tell whether it is still there."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            chunk = os.read(self.fd, 1 << 16)
        except OSError:
            chunk = b""
        if not chunk:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            return False
        self.written += len(chunk)
        self.tail = (self.tail + chunk)[-TAIL:]
        self._stream.feed(chunk)
        return True

    def resize(self, size: tuple[int, int]) -> None:
        """Give the terminal another size."""
        columns, rows = size
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(
        self, shows: Callable[[Sequence[str]], bool], *keys: str, most: float, quiet: float = 0.05
    ) -> list[str]:
        """Type keys, wait until the screen shows something and nothing more is drawn.

        Args:
            shows: What is waited for.
            keys: What they send, one string each.
            most: Seconds after which the screen is read all the same.
            quiet: Seconds without a byte that count as done.
        """
        for key in keys:
            os.write(self.fd, key.encode())
        deadline = time.monotonic() + most
        while not shows(self.rows()) and time.monotonic() < deadline and self.pump(0.05):
            pass
        return self.settle(quiet=quiet)

    def rows(self) -> list[str]:
        """The screen, one string per row; a half of a wide character may be missing."""
        columns = range(self.screen.columns)
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return ["".join(row[x].data for x in columns) for row in rows]

    def colors(self) -> int:
        """How many colours the text on the screen has."""
        cells = [cell for row in self.screen.buffer.values() for cell in row.values()]
        return len({cell.fg for cell in cells if cell.data.strip()})

    def ended(self, most: float) -> int | None:
        """Wait for the end of the program, and return its exit status; None if it goes on."""
        deadline = time.monotonic() + most
        while self.status is None and time.monotonic() < deadline and self.pump(0.05):
            pass
        return self.status

    def settle(self, *keys: str, quiet: float = 0.2, most: float = 5.0) -> list[str]:
        """Type keys, wait until nothing more is drawn, and return the screen.

        Args:
            keys: What they send, one string each.
            quiet: Seconds without a byte that count as done.
            most: Seconds after which the screen is read all the same.
        """
        for key in keys:
            os.write(self.fd, key.encode())
        deadline = time.monotonic() + most
        last, seen = time.monotonic(), self.written
        while time.monotonic() < deadline and self.pump(0.05):
            if self.written != seen:
                last, seen = time.monotonic(), self.written
            elif time.monotonic() - last > quiet:
                break
        return self.rows()

    def usage(self) -> tuple[float, int]:
        """CPU seconds and resident bytes of the process and its children, the ended ones too."""
        cpu, memory = 0.0, 0
        for process in [self._process, *self._process.children(recursive=True)]:
            try:
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                memory += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return cpu, memory

    def wakeups(self) -> int:
        """How often the threads of the process have waited for something; 0 but on Linux."""
        found = Path(f"/proc/{self.pid}/task").glob("*/status")
        lines = [line for file in found for line in file.read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))

    def end(self) -> None:
        """Stop the program."""
        if self.status is None:
            os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline and self.pump(0.05):
                pass
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def _question(
    terminal: Emulated, begin: float, shows: Callable[[Sequence[str]], bool], probe: Probe
) -> Cost:
    """Type the probe's key until the program shows what is waited for; a minute at most."""
    cost = Cost()
    opens = has_text(probe.text)
    asked, open_, next_key = 0.0, False, 0.0
    while terminal.pump(0.002):
        now = time.perf_counter() - begin
        display = terminal.screen.display
        if cost.shown is None and shows(display):
            cost.shown = now
        if asked and opens(display) is not open_:
            cost.answers.append(now - asked)
            open_, asked, next_key = not open_, 0.0, now + 0.1
        if (cost.shown is not None and not asked) or now > 60:
            break
        if not asked and now > next_key and (cost.answers or probe.start(display)):
            os.write(terminal.fd, probe.key.encode())
            asked = now
    cost.display = [line.rstrip() for line in terminal.screen.display]
    cost.memory = terminal.usage()[1] if terminal.status is None else 0
    return cost


def _watch(
    terminal: Emulated,
    begin: float,
    shows: Callable[[Sequence[str]], bool],
    settle: float,
    seconds: float,
    keys: list[str],
) -> Cost:
    cost = Cost()
    settled: tuple[float, float, int, int] | None = None
    next_key = 0.0
    while True:
        alive = terminal.pump(0.01)
        now = time.perf_counter() - begin
        if cost.shown is None and shows(terminal.screen.display):
            cost.shown, cost.colors = now, terminal.colors()
            if not seconds:
                break
        if not alive or now > settle + seconds + (0.0 if seconds else 20.0):
            break
        if settled is None and now > settle:
            settled = (now, terminal.usage()[0], terminal.written, terminal.wakeups())
        if settled is not None and keys and now > next_key:
            os.write(terminal.fd, keys.pop(0).encode())
            next_key = now + 0.2
    cost.display = [line.rstrip() for line in terminal.screen.display]
    cost.status = terminal.status
    if terminal.status is None:
        cpu, cost.memory = terminal.usage()
        if settled is not None and (span := time.perf_counter() - begin - settled[0]) > 0:
            cost.cpu = (cpu - settled[1]) / span
            cost.bytes_per_second = (terminal.written - settled[2]) / span
            cost.wakeups = (terminal.wakeups() - settled[3]) / span
    return cost
