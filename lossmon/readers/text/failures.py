"""Signs in a log that a run died, and why."""

from __future__ import annotations

import re

from lossmon.fast_dataclass import dataclass

MARKERS = (
    "Traceback", "Killed", "CANCELLED", "Signal ", "srun: error", "OutOfMemory", "ut of memory",
    "oom-kill", "oom_kill", "Watchdog caught", "Bus error", "egmentation fault", "Terminated",
    "Aborted",
)  # fmt: skip
"""One of these stands in every line that this module looks for, so that a block of a log without
them need not be looked at line by line."""

LONGEST = 240
"""Characters of a reason that are kept."""

_TRACEBACK = re.compile(r"\s*Traceback \(most recent call last\)")
_EXCEPTION = re.compile(
    r"(?P<name>(?:[A-Za-z_]\w*\.){0,8}[A-Za-z_]\w*"
    r"(?:Error|Exception|Interrupt|Exit|Warning|Failure|Timeout|NotFound|Refused|OutOfMemory)?)"
    r"(?P<text>: .*|:?)$"
)
_ENDS = tuple(
    re.compile(pattern)
    for pattern in (
        r"slurmstepd: error: .*(?:CANCELLED|DUE TO|oom[-_]kill).*",
        r"srun: error: .*(?:Out Of Memory|Killed|Terminated|Exited with|Segmentation).*",
        r"(?:.*line \d+: +\d+ )?(?:Killed|Terminated|Aborted|Bus error|Segmentation fault)"
        r"(?: +\(core dumped\)| {2,}.*)?",
        r".*\bSignal \d+ \(SIG(?:KILL|TERM|SEGV|ABRT|BUS)\).*",
        r".*Watchdog caught collective operation timeout.*",
        r".*(?:CUDA out of memory|CUDA error: out of memory|torch\.OutOfMemoryError|"
        r"torch\.cuda\.OutOfMemoryError|OOM when allocating|oom[-_]kill event).*",
    )
)
_LOGGED = re.compile(
    r"(?x).{0,80}(?:\b(?:ERROR|WARNING|WARN|Error|Exception|DEBUG|INFO)\b[\s:|\]-]|\[W\ )"
    r"|Exception\ (?:ignored\ )?in|The\ above\ exception|During\ handling"
)
_CHAIN = re.compile(r"\s*(?:During handling of the above|The above exception was the direct)")
_RANKED = re.compile(
    r"(?:\[default(\d{1,6})\]:\s?|\[rank(\d{1,6})\]:\s?|(\d{1,4}): (?=\S| +File| +\^|  )|"
    r"\((?:\w+ )?pid=\d+[^)\n]{0,60}\) ?){0,4}"
)
_AGENT = re.compile(r"ChildFailedError|SignalException|subprocess\.CalledProcessError")


@dataclass(slots=True)
class _Trace:
    """A traceback that is being printed, or has just ended.

    Attributes:
        handled: A logger or a thread of its own printed it: the run goes on.
        chained: It was raised while another was handled, so its exception is the one that counts.
        over: Its exception was printed; only a chain can follow.
    """

    handled: bool
    chained: bool = False
    over: bool = False


class Failures:
    """Follows the lines of a log and says why the run died, if it did.

    Each rank of a shared log prints its own traceback, so each is followed on its own. The first
    reason counts: what launchers print after it is its consequence.
    """

    def __init__(self) -> None:
        self.reason = ""
        """Why the run died, empty while it lives."""
        self._past = ""
        self._traces: dict[int, _Trace] = {}

    @property
    def watching(self) -> bool:
        """A traceback has begun, so that every line matters until it ends."""
        return bool(self._traces)

    def line(self, line: str, before: str, rank: int) -> bool:
        """Look at one line; True if it gave a reason for the run to have failed.

        Args:
            line: The line without its prefixes.
            before: The line above it, with them.
            rank: Who printed it, -1 where the line does not say.
        """
        trace = self._traces.get(rank)
        if trace is not None and not trace.over:
            return self._inside(trace, line)
        if _TRACEBACK.match(line):
            chained = trace is not None and trace.chained
            handled = trace.handled if trace and chained else _LOGGED.match(before) is not None
            self._traces[rank] = _Trace(handled, chained)
            return False
        if not line.strip():
            return False
        if trace is not None:
            if _CHAIN.match(line):
                trace.chained = True
                return False
            del self._traces[rank]
        stripped = line.strip()[:2000]
        return any(end.fullmatch(stripped) for end in _ENDS) and self._die(stripped)

    def progress(self) -> bool:
        """Training went on; True if that clears a failure."""
        self._traces.clear()
        failed = bool(self.reason)
        self._past, self.reason = self.reason or self._past, ""
        return failed

    def _inside(self, trace: _Trace, line: str) -> bool:
        if not line.strip() or line[0] in " \t|+":
            return False
        trace.over = True
        found = _EXCEPTION.match(line.strip()[:2000])
        if trace.handled or found is None:
            return False
        if trace.chained:
            self.reason = ""
        return self._die(line.strip())

    def _die(self, line: str) -> bool:
        if self.reason and not _AGENT.search(self.reason):
            return False
        # Other ranks may log a little longer before the launcher tells that one of them died.
        agent = _AGENT.search(line) is not None
        self.reason = (self._past if agent and self._past else line)[:LONGEST]
        return True


def unprefixed(line: str, before: str) -> tuple[str, str, int]:
    """Take launchers' prefixes off a line, its indentation left alone.

    Returns:
        The line, the line above as it was, and the rank, -1 where there is none.
    """
    found = _RANKED.match(line)
    if found is None or not found.end():
        return line, before, -1
    rank = next((int(group) for group in found.groups() if group), -1)
    return line[found.end() :], before, rank
