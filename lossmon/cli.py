"""Command line: runs a command and turns errors into exit statuses."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from functools import cache, partial
from io import BufferedWriter, FileIO, TextIOWrapper
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

from lossmon import commands
from lossmon.ending import ended_by_signals
from lossmon.errors import USAGE_ERROR, ConfigError, LossmonError, did_you_mean, internal_error
from lossmon.locale import ENGLISH, message, speak

LARGEST_TERMINAL = 1000
"""Columns or rows that the environment may set."""

LONGEST_ERROR = 1000
"""Characters printed of an error: an absurd value must not fill the terminal."""

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of a standard output that takes no more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    # No matrices are multiplied, but numpy would start a thread per core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_missing_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        # A character that the locale cannot print must not end the program.
        sys.stdout.reconfigure(errors="replace")
    stderr = sys.stderr
    if stderr is sys.__stderr__ and isinstance(stderr, TextIOWrapper):
        sys.stderr = _messages(stderr)
    for name in ("COLUMNS", "LINES"):
        if _is_absurd(os.environ.get(name, "")):
            del os.environ[name]
    try:
        with ended_by_signals():
            return _run(arguments)
    finally:
        # Who calls this from Python goes on in English.
        speak(lambda: ENGLISH)
        sys.stderr = stderr


class _Lossy(FileIO):
    """Drops what cannot be written, on a full disk for example."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def _messages(stderr: TextIOWrapper) -> TextIO:
    """The standard error for messages and notes: a command goes on without them."""
    raw = BufferedWriter(_Lossy(stderr.fileno(), "wb", closefd=False))
    return TextIOWrapper(raw, stderr.encoding, stderr.errors, line_buffering=True)


def _is_absurd(size: str) -> bool:
    """Whether a size of the environment is none of a terminal: memory for it would not end."""
    return size.isdecimal() and (len(size) > 4 or int(size) > LARGEST_TERMINAL)


def _run(arguments: list[str]) -> int:
    speak(cache(partial(_language, tuple(arguments))))
    name = commands.VIEW
    if arguments and arguments[0] in commands.NAMES:
        name = arguments.pop(0)
    try:
        if name == commands.VIEW and arguments:
            _refuse_misspelled(arguments[0])
        command = commands.module(name)
        status = command.run(command.parser().parse_intermixed_args(arguments))
        # At exit it would be too late to say that the output could not be written.
        sys.stdout.flush()
        return status
    except LossmonError as error:
        _print_error(str(error))
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader of the output has ended, as in `lossmon check … | head`.
        _discard_output()
        return 0
    except Exception as error:
        _explain(error)
        return USAGE_ERROR


def _explain(error: Exception) -> None:
    """Say what ended a command. A status of 1 would be a verdict of `lossmon check`."""
    if not isinstance(error, OSError):
        said = f"{internal_error(error)}; `lossmon doctor` says more"
    elif error.errno in UNWRITABLE and error.filename is None:
        _discard_output()
        said = f"the output cannot be written: {error.strerror}"
    elif error.errno == errno.ENOENT and error.filename is None:
        said = "the current directory does not exist any more"
    else:
        named = "" if error.filename is None else f"{error.filename}: "
        said = f"{named}{error.strerror or error}"
    _print_error(said)


def _print_error(text: str) -> None:
    """Print why a command ended; names and values in it may come from a file of somebody else."""
    from lossmon.sanitize import cells

    lines = message(text)[:LONGEST_ERROR].split("\n")
    print("lossmon:", "\n".join(map(cells, lines)), file=sys.stderr)


def _language(arguments: tuple[str, ...]) -> str:
    """The language that the user asked for, whatever else is wrong."""
    from lossmon.config import spoken_language

    given = dict(pairwise(arguments))
    given |= dict(one.split("=", 1) for one in arguments if one.startswith("--") and "=" in one)
    file = given.get("--config")
    return spoken_language(given.get("--lang"), Path(file) if file else None, os.environ)


def _open_missing_streams() -> None:
    """Open the null device for standard streams that were closed, as by `>&-`.

    A file that is opened otherwise takes the number of the closed stream.
    """
    while os.open(os.devnull, os.O_RDWR) <= 2:
        pass
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_misspelled(word: str) -> None:
    """Raise a `ConfigError` if a word is not there as a path and looks like a command."""
    if not word.isalpha() or os.path.lexists(word):
        return
    meant = did_you_mean(word, commands.NAMES, "`lossmon {}`")
    if meant:
        raise ConfigError(f"{word}: no such command or path{meant} A path is written ./{word}")


if __name__ == "__main__":
    sys.exit(main())
