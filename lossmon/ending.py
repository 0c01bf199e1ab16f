"""Signals that end the program: each raises `SystemExit` and thereby lets it clean up."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import current_thread, main_thread
from types import FrameType

ENDING: tuple[int, ...] = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT),
    *(signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGVTALRM),
    *(signal.SIGPROF, signal.SIGSYS, signal.SIGTRAP),
)
"""Signals that end a program. Ctrl+C sends SIGINT until the screen runs; then it is a key."""

if sys.platform == "linux":
    ENDING += (signal.SIGIO, signal.SIGPWR, signal.SIGSTKFLT)
    ENDING += tuple(range(signal.SIGRTMIN, signal.SIGRTMAX + 1))

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals at which a command that goes on for ever returns by itself, with status 0."""

AGAIN = 1.0
"""Seconds in which the same signal is one request: both the kernel and the shell send SIGHUP to
what runs in a terminal that closes."""

_is_handling = False
_held = 0
_status: int | None = None
_last: tuple[int, float] = (0, 0.0)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have each signal raise `SystemExit`, with the status that a shell gives it.

    Signals that are ignored, as by `nohup`, stay so, and the handlers of others stay. SIGINT needs
    this handler too: a `KeyboardInterrupt` inside `exec` of a string, which defines a dataclass,
    has Python kill itself by SIGINT at its end even if the exception was caught.
    """
    global _is_handling, _status
    usual = (signal.SIG_DFL, signal.default_int_handler)
    is_main = current_thread() is main_thread()
    handlers = {one: signal.getsignal(one) for one in ENDING} if is_main else {}
    try:
        with handled_signals([one for one, known in handlers.items() if known in usual], _end):
            _is_handling = True
            yield
    finally:
        _is_handling = False
        try:
            end_if_asked()
        finally:
            _status = None


@contextmanager
def handled_signals(
    numbers: Iterable[int], handler: Callable[[int, FrameType | None], object]
) -> Iterator[None]:
    """Have a function handle signals, and then those that handled them before.

    Signals that are ignored stay so: `nohup` ignores the hang-up, and a script the Ctrl+C of what
    it starts in the background.
    """
    minded = [one for one in numbers if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in minded}
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)


def stopped_by_signals(stop: Callable[[], object]) -> AbstractContextManager[None]:
    """Have the signals of `STOPPING` call a function that lets the command return."""
    return handled_signals(STOPPING, lambda *_: stop())


@contextmanager
def held_signals() -> Iterator[None]:
    """Have signals wait while something is made that only its owner removes."""
    global _held
    _held += 1
    try:
        yield
    finally:
        _held -= 1
    if not _held:
        end_if_asked()


def end_if_asked() -> None:
    """Raise `SystemExit` if a signal has asked the program to end.

    Python swallows some of the exceptions that a handler raises, and replaces others, above all
    while modules are imported.
    """
    if _status is not None:
        raise SystemExit(_status)


def pass_on_the_end(error: BaseException) -> None:
    """Raise what is to end the program rather than cost the file that was being read.

    Under `ended_by_signals` only a signal ends it: a `SystemExit` or `KeyboardInterrupt` without
    one is a fault of a library or a plugin. Elsewhere it may come from a handler of the caller.
    """
    end_if_asked()
    if not _is_handling and isinstance(error, SystemExit | KeyboardInterrupt):
        raise error


def _end(number: int, _frame: FrameType | None) -> None:
    global _status, _last
    now = time.monotonic()
    (last, when), _last = _last, (number, now)
    if _status is None or number != last or now - when > AGAIN:
        _status = 128 + number
        if not _held:
            raise SystemExit(_status)
