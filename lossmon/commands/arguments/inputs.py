"""Inputs of commands: settings, existing paths, standard input and the terminal."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lossmon.commands.arguments.parsing import Address, Location
from lossmon.config import SETTINGS, Config, Value, config_directory, load
from lossmon.ending import held_signals
from lossmon.errors import ConfigError, similar_path
from lossmon.sanitize import one_line

STANDARD_INPUT = Path("-")
"""How the user names it."""

COPY = "stdin.log"
"""Name of the file that it is copied into."""

CHUNK = 1 << 16
"""Bytes that are copied at a time."""

SECOND_LOOK = 2.0
"""Seconds for a second look at a path without metrics: enough to say what it holds instead."""


@contextmanager
def copied_input(
    locations: Sequence[Location], *, follow: bool = False
) -> Iterator[Sequence[Location]]:
    """The locations, with a copy of the standard input in place of each `-`.

    Args:
        follow: The copy grows meanwhile, and keys are read from the terminal; else all of the
            input is there from the start.

    Raises:
        ConfigError: Nothing is piped in, or there is no terminal for keys.
    """
    if STANDARD_INPUT not in locations:
        yield locations
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("-: nothing is piped into standard input; a file is written ./-")
    from tempfile import TemporaryDirectory

    with held_signals():
        kept = TemporaryDirectory(prefix="lossmon-")
    with kept as directory:
        copy = Path(directory, COPY)
        ends = os.dup(sys.stdin.fileno()), os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        if follow:
            _read_keys_from_terminal()
            threading.Thread(target=_copy, args=ends, name="stdin", daemon=True).start()
        else:
            _copy(*ends)
        yield [copy if one == STANDARD_INPUT else one for one in locations]


def _read_keys_from_terminal() -> None:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise ConfigError(f"-: no terminal to read keys from: {error.strerror}") from error
    os.dup2(terminal, sys.stdin.fileno())
    os.close(terminal)


def _copy(source: int, copy: int) -> None:
    """Copy until the end; the copy may be deleted meanwhile."""
    with (
        os.fdopen(source, "rb", buffering=0) as piped,
        os.fdopen(copy, "wb", buffering=0) as out,
    ):
        while chunk := piped.read(CHUNK):
            out.write(chunk)


NO_METRICS = 3
"""Exit status if no metrics were found."""

UNMEASURED = "{run} is read ({sources}), but no line or record in it holds a metric"

PATIENCE = 5.0
"""Seconds for which a network file system is waited for at the start: a busy server answers
within them."""


def settings_of(options: argparse.Namespace) -> Config:
    """Merge the flags with the settings file and the environment.

    Raises:
        ConfigError: A setting is wrong.
    """
    flags: dict[str, Value | None] = {
        one.name: getattr(options, one.name) for one in SETTINGS if hasattr(options, one.name)
    }
    if getattr(options, "no_color", False):
        # Whatever prints colours reads the variable.
        os.environ["NO_COLOR"] = "1"
    file: Path | None = getattr(options, "config", None)
    if file is not None and not os.path.isfile(file):
        wrong = "is not a file" if os.path.lexists(file) else "no such file"
        raise ConfigError(f"--config {file}: {wrong}")
    config = load(file or _usual_settings(), os.environ, flags)
    must_be_theme(config.theme)
    must_be_keys(config)
    return config


def _usual_settings() -> Path | None:
    """The settings file in its usual place, if there is one.

    The home of somebody else, after `su` or `sudo`, holds none for us.
    """
    path = config_directory() / "config.toml"
    try:
        is_ours = path.lstat().st_uid == os.geteuid()
    except OSError:
        return None
    return path if is_ours or os.access(path, os.R_OK) else None


def must_be_theme(name: str) -> None:
    """Raise a `ConfigError` if no theme has this name."""
    if name == "auto":
        return
    from lossmon.ui.theme.theme import built_in_directory, full_name

    directories = (built_in_directory(), config_directory() / "themes")
    full_name(name, sorted(path.stem for one in directories for path in one.glob("*.toml")))


def must_be_keys(config: Config) -> None:
    """Raise a `ConfigError` if a key is set for an unknown action, or is not a key."""
    if not config.keys:
        return
    from lossmon.ui.key_catalogue import ids
    from lossmon.ui.keys import pressable

    try:
        pressable(config.keys, ids())
    except ConfigError as error:
        raise ConfigError(f"{config.file}: {error}") from None


def existing(
    locations: Sequence[Location], *, wait: bool = False, late: Collection[Path] | None = None
) -> list[Path]:
    """The paths, if all exist and are readable.

    Args:
        wait: A path that is missing is waited for, if the directory that it will be in exists.
        late: Paths whose file system is known not to answer, which are taken as they are; if
            None, this is found out, and such a path is an error.

    Raises:
        ConfigError: A path is not, or is an address of another machine.
    """
    paths = list(dict.fromkeys(one for one in locations if isinstance(one, Path)))
    for address in (one for one in locations if isinstance(one, Address)):
        raise ConfigError(f"{address}: this command takes paths of this machine only")
    if late is None:
        must_answer(paths)
    for path in paths:
        if late is not None and path in late:
            continue
        try:
            fault = "" if wait and _may_come(path) else _fault(path)
        except OSError as error:
            fault = error.strerror or str(error)
        if fault:
            raise ConfigError(f"{path}: {fault}")
    return paths


def waited_for(locations: Sequence[Location]) -> Iterator[str]:
    """A sentence per path that does not exist yet."""
    for one in locations:
        if isinstance(one, Path) and not one.exists():
            yield f"{one} does not exist yet, and is waited for{similar_path(one)}"


def must_answer(paths: Sequence[Path]) -> None:
    """Raise a `ConfigError` that names the file system of a path that does not answer."""
    from lossmon.filesystems import mount_of, unanswering

    for look in unanswering(paths, PATIENCE):
        point, kind = mount_of(look.path)
        raise ConfigError(
            f"{look.path}: {point} ({kind}) has not answered for {PATIENCE:g} s: "
            "the file system may be down"
        )


def _may_come(path: Path) -> bool:
    return not os.path.lexists(path) and path.parent.is_dir()


def _fault(path: Path) -> str:
    """Why a path cannot be read, or an empty string."""
    if not path.exists():
        if path.is_symlink():
            return "broken symbolic link"
        return f"no such file or directory{similar_path(path)}"
    if not (path.is_dir() or path.is_file()):
        return "not a file or directory"
    readable = os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
    return "" if readable else "permission denied"


def no_metrics(paths: Sequence[object], language: str) -> int:
    """Print that no metrics were found, and in what files; return the exit status."""
    from lossmon.locale import phrase, translate

    for path in paths:
        is_piped = isinstance(path, Path) and path.name == COPY
        where = translate("standard input", language) if is_piped else str(path)
        text = phrase("no metrics found in {where}", language, where=where)
        print(f"lossmon: {text}", file=sys.stderr)
        for text in _found_instead(path, where, language) if isinstance(path, Path) else ():
            print(f"  {one_line(text)}", file=sys.stderr)
    return NO_METRICS


def _found_instead(path: Path, where: str, language: str) -> Iterator[str]:
    """Sentences on what a path without metrics holds."""
    from lossmon.analysis.file_sentences import about_logged, about_unread
    from lossmon.locale import phrase
    from lossmon.monitor import Monitor

    if path.is_file() and not path.stat().st_size:
        yield phrase("{name} is empty", language, name=where)
        return
    found = Monitor([path]).poll(SECOND_LOOK)
    for run in found.runs:
        logged = about_logged(run, language)
        text = "{run}: {logged}; `lossmon {path}` shows them" if logged else UNMEASURED
        sources = ", ".join(run.sources)
        yield phrase(
            text, language, run=run.name, logged=logged, path=str(path), sources=sources or "–"
        )
    unread = [where] if path.name == COPY else found.unread_files
    if not found.runs:
        yield about_unread(where, found.seen_files, unread, language)
    if found.runs or found.seen_files:
        explain = "`lossmon explain {path}` says why a line or a file is not read"
        yield phrase(explain, language, path="-" if path.name == COPY else str(path))


def need_extra(extra: str, *modules: str) -> None:
    """Raise a `ConfigError` that says what to install, where a module of an extra is missing."""
    if missing := [name for name in modules if find_spec(name) is None]:
        names = " and ".join(missing)
        raise ConfigError(f"{names} is missing; pip install 'lossmon[{extra}]' installs it")


def has_terminal() -> bool:
    """Whether standard input and output are a terminal."""
    # In a browser, the terminal is at the other end of a pipe of textual-serve.
    served = "TEXTUAL_DRIVER" in os.environ
    return served or (sys.stdout.isatty() and sys.stdin.isatty())


def need_terminal(instead: str) -> None:
    """Raise a `ConfigError` that names an alternative if the output is not a terminal."""
    if not has_terminal():
        raise ConfigError(f"not a terminal; {instead}")
