"""Hand-over of the terminal: it shows the first frame while Textual is being imported."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from textual.app import App

ALTERNATE = "\x1b[?1049h"
"""Switches to the alternate screen; some terminals clear it even if it is shown already."""

_ENTER = f"{ALTERNATE}\x1b[?25l"
_LEAVE = "\x1b[0m\x1b[?1049l\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Around what the terminal should show at once."""


def owned_terminal() -> tuple[int, IO[str]] | None:
    """Input and output of the terminal that Textual will use; None if they are not a terminal, or
    if it does not control this program, or has it in the background."""
    source, output = sys.__stdin__, sys.__stderr__
    if source is None or output is None or "TEXTUAL_DRIVER" in os.environ:
        return None
    if not (source.isatty() and output.isatty() and sys.stdout.isatty()):
        return None
    number = source.fileno()
    with suppress(OSError):
        if os.tcgetpgrp(number) == os.getpgrp():
            return number, output
    return None


def draw_on_output() -> None:
    """Have Textual draw on the standard output where the error output is a file or closed.

    Textual draws on the error output; with `2>/dev/null` the screen would stay empty.
    """
    output = next((one for one in (sys.__stderr__, sys.__stdout__) if one and one.isatty()), None)
    if output is not None:
        setattr(sys, "__stderr__", LastingOutput(output))  # noqa: B010 (declared to be constant)


class LastingOutput:
    """Terminal output that drops what is written once the terminal has closed.

    Textual's writer thread would die of the error, and the app then wait for it for ever.
    """

    def __init__(self, output: IO[str]) -> None:
        self._output = output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._output.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._output.flush()


@contextmanager
def first_screen(terminal: tuple[int, IO[str]], frame: str) -> Iterator[FirstScreen]:
    """Show a first frame; the terminal is as it was found at the end."""
    first = FirstScreen(*terminal)
    try:
        first.show(frame)
        yield first
    finally:
        first.close()


class FirstScreen:
    """The terminal from the first frame until the app has it, or else until the end.

    Keys wait in the terminal for the app. Ctrl+C and signals end the program, Ctrl+Z waits.

    Args:
        number: File descriptor of the input.
    """

    def __init__(self, number: int, output: IO[str]) -> None:
        self._input, self._output = number, output
        self._modes = termios.tcgetattr(number)
        self._is_taken = False

    def show(self, frame: str) -> None:
        """Show a frame on the alternate screen."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
        termios.tcsetattr(self._input, termios.TCSANOW, _quiet(self._modes))
        self._write(_BEGIN + _ENTER + frame + _END)

    def close(self) -> None:
        """Leave the terminal as it was found; it may be gone."""
        with suppress(OSError, termios.error):
            if not self._is_taken:
                self._write(_LEAVE)
            termios.tcsetattr(self._input, termios.TCSANOW, self._modes)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])

    def hand_to(self, app: App[None]) -> None:
        """Have an app that begins take over the terminal as it is."""
        first, base = self, cast(Any, app.driver_class)

        class TakingDriver(base):  # type: ignore[misc, valid-type]
            """Begins in the alternate screen."""

            def start_application_mode(self) -> None:
                before = first._is_taken
                super().start_application_mode()
                if not before:
                    self.attrs_before = first._modes
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])

            def write(self, data: str) -> None:
                if data == ALTERNATE and not first._is_taken:
                    first._is_taken = True
                else:
                    super().write(data)

        app.driver_class = TakingDriver

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()


def _quiet(modes: list[Any]) -> list[Any]:
    """Modes in which a key is neither shown nor held back for a whole line, as Textual has them;
    Ctrl+C alone is a signal."""
    modes = deepcopy(modes)
    modes[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    modes[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    off = os.fpathconf(0, "PC_VDISABLE").to_bytes()
    for key in (termios.VSUSP, termios.VQUIT):
        modes[6][key] = off
    modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
    return modes
