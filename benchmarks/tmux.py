"""A terminal that can be read: a window of tmux on a server of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

WAIT = 15.0
"""Longest seconds until a program shows what is waited for."""

Test = Callable[[Sequence[str]], bool]


class Tmux:
    """A shell in a window of tmux; a context manager that ends both.

    Args:
        directory: Where the shell starts.
        size: Columns and rows.
    """

    def __init__(self, directory: Path, size: tuple[int, int]) -> None:
        self._socket = f"lossmon-walk-{os.getpid()}"
        self.size = size
        columns, rows = (str(number) for number in size)
        shell = ["env", "PS1=$ ", "HISTFILE=", "sh"]
        window = ["new-session", "-d", "-x", columns, "-y", rows, "-c", str(directory), *shell]
        self._call("-f", "/dev/null", *window)
        # A lone escape is one at once, as it is for who has set up tmux for anything like vi.
        self._call("set-option", "-s", "escape-time", "0")

    def __enter__(self) -> Tmux:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call("kill-session")

    def _call(self, *words: str) -> str:
        command = ["tmux", "-u", "-L", self._socket, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def enter(self, command: str) -> None:
        """Give a command to the shell."""
        self._call("send-keys", "-l", command)
        self._call("send-keys", "Enter")

    def type(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        self._call("send-keys", *keys)

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another size."""
        self.size = size
        self._call("resize-window", "-x", str(size[0]), "-y", str(size[1]))

    def rows(self) -> list[str]:
        """What stands on the screen, line by line."""
        return self._call("capture-pane", "-p", "-N").split("\n")[:-1]

    def wait(self, test: Test, seconds: float = WAIT) -> list[str] | None:
        """Read the screen until it passes a test, and once more; None if it never does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if test(self.rows()):
                time.sleep(0.1)
                return self.rows()
            time.sleep(0.05)
        return None

    def modes(self) -> Mapping[str, str]:
        """What a program may leave behind: the cursor, the other screen, the mouse."""
        names = ("cursor_flag", "alternate_on", "mouse_any_flag", "mouse_sgr_flag", "keypad_flag")
        told = self._call("display-message", "-p", " ".join(f"#{{{name}}}" for name in names))
        return dict(zip(names, told.split(), strict=True))
