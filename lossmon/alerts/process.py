"""Process that may be signalled, and no other that gets its number later."""

from __future__ import annotations

import os
import signal

from lossmon.errors import ConfigError, LossmonError

CLOCK_TICK = 1.0
"""Seconds by which two readings of one start time may differ: the kernel counts from the boot,
whose start time is computed again."""


class ProcessGone(LossmonError):
    """The process has ended."""


class TargetProcess:
    """A process that may be sent a signal.

    It is held by a handle of the kernel where there is one, so that the signal cannot reach another
    process; elsewhere its start time is compared right before.

    Args:
        pid: Its number.
        started: When it was started, in seconds since the Unix epoch, if that is known from
            before; None takes the process that has the number now.

    Raises:
        ConfigError: No process has this id.
        ProcessGone: Another process has the number now.
    """

    def __init__(self, pid: int, started: float | None = None) -> None:
        self.pid = pid
        self._handle: int | None = None
        if hasattr(os, "pidfd_open"):
            try:
                self._handle = os.pidfd_open(pid)
            except OSError as error:
                if started is not None:
                    raise ProcessGone(f"process {pid} has ended") from error
                raise ConfigError(f"--pid {pid}: {error.strerror}") from error
        self.started = self._start_time()
        if started is not None and abs(self.started - started) > CLOCK_TICK:
            raise ProcessGone(f"process {pid} has ended; another one has its number now")

    def send(self, number: signal.Signals) -> None:
        """Send a signal.

        Raises:
            ProcessGone: The process has ended.
            PermissionError: It belongs to another user.
        """
        try:
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, number)
            elif abs(self._start_time() - self.started) > CLOCK_TICK:
                raise ProcessLookupError
            else:
                os.kill(self.pid, number)
        except ProcessLookupError as error:
            raise ProcessGone(f"process {self.pid} has ended") from error

    def _start_time(self) -> float:
        import psutil

        try:
            return float(psutil.Process(self.pid).create_time())
        except psutil.Error as error:
            raise ConfigError(f"--pid {self.pid}: no process has this id") from error


def signal_of(name: str) -> signal.Signals:
    """A signal by its name, with or without `SIG`.

    Raises:
        ValueError: There is no such signal, or it is a number.
    """
    plain = name.upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{plain}"]
    except KeyError:
        raise ValueError(f"{name!r} is not a signal such as TERM, INT or USR1") from None
