"""Errors that the user can act on, and the log of internal ones.

LossmonError
├── ConfigError   a setting is wrong: one line on stderr, exit status 2
├── ReadError     a file is corrupt from here on: its reader ends, other files are read on
└── ThemeError    a theme cannot be used: reported once and skipped
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lossmon.ending import pass_on_the_end

if TYPE_CHECKING:
    import logging
    from pathlib import Path

USAGE_ERROR = 2
"""Exit status where the arguments or the settings are wrong, or the output cannot be written."""

LOG_SIZE = 1 << 18
"""Bytes of tracebacks kept per log file; there are two files."""


class LossmonError(Exception):
    """Base of all errors that are explained to the user."""


class ConfigError(LossmonError):
    """A setting is wrong; the message names it, its origin and what is allowed."""


class ReadError(LossmonError):
    """A file cannot be read further; the message says where and why."""


class ThemeError(LossmonError):
    """A theme file cannot be used; the message names the key and the reason."""


def did_you_mean(word: str, known: Iterable[str], spelled: str = "{}") -> str:
    """A question to end a message with, or nothing where no known word is similar.

    Args:
        known: What could have been meant.
        spelled: How the answer is written, `{}` being the word.
    """
    # Only a user who made a mistake waits for it.
    from difflib import get_close_matches

    similar = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {spelled.replace('{}', similar[0])}?" if similar else ""


def similar_path(path: Path) -> str:
    """A question after a path beside one that is missing, or nothing where none is similar.

    Names that differ in digits alone are those of other runs.
    """
    import re

    def letters(name: str) -> str:
        return re.sub(r"\d", "", name)

    try:
        names = [one for one in os.listdir(path.parent) if one.isprintable()]
    except OSError:
        return ""
    others = [one for one in names if letters(one) != letters(path.name)]
    return did_you_mean(path.name, others, f"{path.parent / '{}'}")


def internal_error(error: BaseException) -> str:
    """Log an unexpected exception with its traceback, and describe it in one line.

    The traceback goes to the logger `lossmon`. Where logging is not configured, that is
    `errors.log` in the user's state directory, because output would overwrite the screen.

    Raises:
        BaseException: The program is to end, see `pass_on_the_end`.
    """
    import logging
    import traceback

    pass_on_the_end(error)
    log = logging.getLogger("lossmon")
    if not log.hasHandlers():
        log.addHandler(_log_file())
    log.error("internal error", exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}lossmon{os.sep}" in frame.filename]
    where = (own or list(frames))[-1:]
    place = "".join(f" ({os.path.basename(one.filename)}:{one.lineno})" for one in where)
    text = " ".join(_text(error).split())[:200]
    return f"internal error: {type(error).__name__}{': ' if text else ''}{text}{place}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # Exceptions of other packages may have faults of their own.
        return ""


def _log_file() -> logging.Handler:
    from logging import Formatter, NullHandler
    from logging.handlers import RotatingFileHandler

    class Quiet(RotatingFileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            """Drop the record if the disk is full or read-only."""

    from platformdirs import user_state_path

    try:
        file = user_state_path("lossmon", ensure_exists=True) / "errors.log"
        # A pipe would be waited for.
        is_usable = file.is_file() or not file.exists()
    except OSError:
        is_usable = False
    if not is_usable:
        return NullHandler()
    handler = Quiet(
        file,
        maxBytes=LOG_SIZE,
        backupCount=1,
        encoding="utf-8",
        delay=True,
        errors="backslashreplace",
    )
    handler.setFormatter(Formatter("%(asctime)s %(process)d %(message)s"))
    return handler
