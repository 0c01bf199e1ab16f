"""What can go wrong that the user can do something about.

LossmonError
├── ConfigError   a setting is wrong: one line on stderr, exit status 2
├── ReadError     a file is corrupt from here on: its reader ends, the rest goes on
└── ThemeError    a theme cannot be used: reported once and skipped
"""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

LOG_SIZE = 1 << 18
"""Bytes of tracebacks that are kept on disk, twice: more than anybody reads."""


class LossmonError(Exception):
    """Something went wrong that a message to the user can explain."""


class ConfigError(LossmonError):
    """A setting is wrong; says which, where it came from and what is allowed."""


class ReadError(LossmonError):
    """A file cannot be read any further; says where and why."""


class ThemeError(LossmonError):
    """A theme file cannot be used; says which key and why."""


def internal_error(error: Exception) -> str:
    """Log an unexpected exception with its traceback, and describe it in one line.

    The traceback goes to the logger `lossmon`. Where nobody has configured logging, that is
    `errors.log` in the user's state directory, so that a screen is never written over.
    """
    import logging

    log = logging.getLogger("lossmon")
    if not log.hasHandlers():
        log.addHandler(_log_file())
    log.error("internal error", exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}lossmon{os.sep}" in frame.filename]
    where = (own or list(frames))[-1:]
    place = "".join(f" ({os.path.basename(one.filename)}:{one.lineno})" for one in where)
    text = " ".join(str(error).split())[:200]
    return f"internal error: {type(error).__name__}{': ' if text else ''}{text}{place}"


def _log_file() -> logging.Handler:
    from logging import Formatter, NullHandler
    from logging.handlers import RotatingFileHandler

    class Quiet(RotatingFileHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            """A full or read-only disk must not cost more than the record."""

    from platformdirs import user_state_path

    try:
        file = user_state_path("lossmon", ensure_exists=True) / "errors.log"
    except OSError:
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
