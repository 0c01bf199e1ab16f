"""Failures in a log: tracebacks, signals and messages of a run that died."""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern

MARKERS = (
    "Traceback", "Killed", "CANCELLED", "Signal ", "srun: error", "OutOfMemory", "ut of memory",
    "oom-kill", "oom_kill", "Watchdog caught", "Bus error", "egmentation fault", "Terminated",
    "Aborted", "killed", "Fatal Python", "terminate called", "(exitcode", "return code =",
    "TERM_", "Exception in thread", "Assertion", "Check failure", "OOMKilled", "exit code",
    "Illegal instruction", "Floating point exc", "SyntaxError", "IndentationError", "Check failed",
    "job has been aborted", "noticed that process", "Root Cause (first", ": F tensorflow",
    "ERROR: LoadError", "ERROR (", "Execution halted",
)  # fmt: skip
"""Every line that matters here contains one of these: a block of a log without them need not be
searched line by line."""

LONGEST = 240
"""Characters kept of a reason."""

LATE = 4
"""Lines with metrics that may follow the end of a job without its going on."""

_TRACEBACK = lazy_pattern(r"[\s╭─]*(?:\+ Exception Group )?Traceback \(most recent call last\)")
_GROUP = lazy_pattern(r"[\s|]*(?P<reason>(?:Base)?ExceptionGroup: .*)")
_INSIDE = (" ", "\t", "|", "+", "│", "╭", "╰", ">")
"""How the lines of a traceback begin, plain or framed by rich or loguru."""
_EXCEPTION = lazy_pattern(
    r"(?P<name>(?:[A-Za-z_]\w*\.){0,8}[A-Za-z_]\w*"
    r"(?:Error|Exception|Interrupt|Exit|Warning|Failure|Timeout|NotFound|Refused|OutOfMemory)?)"
    r"(?:\([A-Za-z_]\w{0,80}\)(?=: ))?"
    r"(?P<text>: .*|:?)$"
)
_ENDS = tuple(
    lazy_pattern(pattern)
    for pattern in (
        r"slurmstepd[\w.-]*: error: .*(?:CANCELLED|DUE TO|oom[-_]kill).*",
        r"srun: error: .*(?:Out Of Memory|Killed|Terminated|Exited with|Segmentation).*",
        r"(?:.*line \d+: +\d+ )?(?:Killed|Terminated|Aborted|Bus error|Segmentation fault)"
        r"(?: +\(core dumped\)| {2,}.*)?",
        r".*\bSignal \d+ \(SIG(?:KILL|TERM|SEGV|ABRT|BUS)\).*",
        r".*Watchdog caught collective operation timeout.*",
        r"(?:\[\d+\] +|zsh: +)(?:\d+ +)?(?:killed|terminated|segmentation fault|abort)\b.*",
        r".*[Oo]ut of memory: Killed process \d+.*",
        r"(?:Floating point exception|Illegal instruction)(?: +\(core dumped\))?",
        r"Fatal Python error: .*",
        r"terminate called after throwing an instance of .*",
        r".*\*\*\* Check failure stack trace: \*\*\*.*",
        r".*: Assertion [`'\"].{0,200} failed\.?",
        r"Exception in thread \"main\" .*",
        r".*failed \(exitcode: -?\d+\) local_rank: \d+.*",
        r".*exits with return code = -?[1-9]\d*.*",
        r".*PBS: job killed: .*",
        r"Exited with exit code [1-9]\d*\.?",
        r".*\bjob has been aborted\.?",
        r"mpi(?:run|exec) noticed that process rank .*",
        r"Root Cause \(first observed failure\):?",
        r"(?:SyntaxError|IndentationError|TabError): .+",
        r"F\d{4} \d{2}:\d{2}:\d{2}.*\] .*Check failed: .*",
        r".*: F tensorflow/\S+\] .*",
        r"ERROR: LoadError: .*",
        r"ERROR \([\w.~-]+(?:\[.{0,60}\])?:.{1,200}\) .*",
        r".*\bError: Aborted from .*",
        r"Execution halted",
        r"ray\.exceptions\.OutOfMemoryError: .*",
        r"TERM_(?:RUNLIMIT|MEMLIMIT|OWNER|ADMIN|PREEMPT)\b.*",
        r".*(?:OOMKilled|command terminated with exit code (?:137|143)).*",
        r".*(?:CUDA out of memory|CUDA [Ee]rror: out of memory|torch\.OutOfMemoryError|"
        r"torch\.cuda\.OutOfMemoryError|OOM when allocating|oom[-_]kill event).*",
    )
)
_GLUED = lazy_pattern(
    r".{0,300}?(?:\d/\d{1,12}|\]|\}|\||\d%|\^C)\s*"
    r"(?=Traceback \(most recent|(?:slurmstepd[\w.-]*|srun): error|Killed\b|Terminated\b|"
    r"Segmentation fault|Aborted\b|Fatal Python error)"
)
"""A progress bar, a record or an interrupt whose line had not ended when the crash was printed."""

_LOGGED = lazy_pattern(
    r"(?x).{0,80}(?:\b(?:ERROR|WARNING|WARN|Error|Exception|DEBUG|INFO)\b[\s:|\]-]|\[W\ )"
    r"|Exception\ (?:ignored\ )?in|The\ above\ exception|During\ handling"
)
_CAUGHT = lazy_pattern(r"An error has been caught in function|Error executing job with overrides")
"""loguru's `catch` and Hydra let a program end without its traceback, and print it themselves."""

_CHAIN = lazy_pattern(r"\s*(?:During handling of the above|The above exception was the direct)")
_RANKED = lazy_pattern(
    r"(?:\[default(\d{1,6})\]:\s?|\[rank(\d{1,6})\]:\s?|(\d{1,4}): (?=\S| +File| +\^|  )|"
    r"\((?:\w+ )?pid=\d+[^)\n]{0,60}\) ?){0,4}"
)
_AGENT = lazy_pattern(r"ChildFailedError|SignalException|subprocess\.CalledProcessError")


@dataclass(slots=True)
class _Trace:
    """A traceback that is being printed, or has just ended.

    Attributes:
        handled: A logger or another thread printed it: the run goes on.
        chained: It was raised while another was handled, so its exception counts.
        over: Its exception was printed; only a chain can follow.
    """

    handled: bool
    chained: bool = False
    over: bool = False


class Failures:
    """Finds out why a run died, if it did.

    Each rank of a shared log prints its own traceback, so each is followed separately. The first
    reason counts: what launchers print after it is its consequence.
    """

    def __init__(self) -> None:
        self.reason = ""
        """Why the run died, empty if it did not."""
        self._past = ""
        self._late = 0
        """Lines with metrics since a scheduler ended the job."""
        self._traces: dict[int, _Trace] = {}

    @property
    def watching(self) -> bool:
        """Whether a traceback is being printed: every line matters until it ends."""
        return bool(self._traces)

    def add(self, line: str, before: str, rank: int) -> bool:
        """Add a line; True if it states why the run failed.

        Args:
            line: The line without its prefixes.
            before: The line above it, with its prefixes.
            rank: Rank that printed it, -1 if unknown.
        """
        if (glued := _GLUED.match(line)) is not None:
            line, before = line[glued.end() :], ""
        trace = self._traces.get(rank)
        if trace is not None and not trace.over:
            return self._inside(trace, line)
        if _TRACEBACK.match(line):
            chained = trace is not None and trace.chained
            logged = _LOGGED.match(before) is not None and not _CAUGHT.search(before)
            handled = trace.handled if trace and chained else logged
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

    def clear(self, lines: int) -> bool:
        """Note that lines of training follow; True if there was a failure and it went on.

        What a job had buffered may be printed after its scheduler has ended it.
        """
        self._traces.clear()
        self._late += lines
        if self.reason.startswith("slurmstepd") and self._late <= LATE:
            return False
        failed = bool(self.reason)
        self._past, self.reason = self.reason or self._past, ""
        return failed

    def _inside(self, trace: _Trace, line: str) -> bool:
        group = _GROUP.match(line)
        if not line.strip() or (group is None and line.startswith(_INSIDE)):
            return False
        line = group["reason"] if group is not None else line
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
        # Other ranks may log a little longer before the launcher reports that one of them died.
        agent = _AGENT.search(line) is not None
        self.reason = (self._past if agent and self._past else line)[:LONGEST]
        self._late = 0
        return True


def unprefixed(line: str, before: str) -> tuple[str, str, int]:
    """Remove the prefixes of launchers from a line, but not its indentation.

    Returns:
        The line, the line above unchanged, and the rank, -1 if there is none.
    """
    found = _RANKED.match(line)
    if found is None or not found.end():
        return line, before, -1
    rank = next((int(group) for group in found.groups() if group), -1)
    return line[found.end() :], before, rank
