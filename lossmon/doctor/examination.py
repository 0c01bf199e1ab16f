"""Examination: all checks, and their results in print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from lossmon.config import Config
from lossmon.doctor import CheckResult, Level, note
from lossmon.doctor.machine import check_hardware, check_terminal
from lossmon.doctor.paths import PATIENCE, check_events, check_paths
from lossmon.doctor.setup import (
    check_directories,
    check_errors,
    check_extras,
    check_plugins,
    check_settings,
    check_version,
)
from lossmon.errors import internal_error
from lossmon.filesystems import unanswering
from lossmon.locale import translate
from lossmon.sanitize import cells

MARKS = {Level.GOOD: ("✓", "+"), Level.NOTE: ("◆", "*"), Level.BAD: ("✖", "x")}
"""Stands before a line, in Unicode and in ASCII."""

SUBJECT = 19
"""Columns of the subject of a line."""


def examine(paths: Sequence[Path], load: Callable[[], Config]) -> Iterator[CheckResult]:
    """Run every check; one that fails itself costs only its own lines."""
    late = {look.path for look in unanswering(paths, PATIENCE)}
    answering = [path for path in paths if path not in late]
    checks: tuple[Callable[[], Iterator[CheckResult]], ...] = (
        check_version,
        check_terminal,
        lambda: check_settings(load),
        check_directories,
        lambda: check_paths(paths, late),
        lambda: check_events(answering),
        lambda: check_hardware(answering),
        check_extras,
        check_plugins,
        check_errors,
    )
    for check in checks:
        try:
            yield from check()
        except Exception as error:
            fault = internal_error(error)
            yield note("doctor", "{fault}", "report this; the other checks go on", fault=fault)


def write(results: Iterator[CheckResult], out: TextIO, language: str) -> bool:
    """Print results as they come; whether lossmon can work here."""
    from rich.cells import cell_len

    works = True
    for one in results:
        unicode = (out.encoding or "").lower().startswith("utf")
        mark = MARKS[one.level][0 if unicode else 1]
        subject = translate(one.subject, language)
        subject += " " * (SUBJECT - cell_len(subject))
        print(cells(f"{mark} {subject} {one.say(one.finding, language)}"), file=out, flush=True)
        if one.action:
            arrow = "→" if unicode else "->"
            remedy = one.say(one.action, language)
            print(cells(f"  {'':<{SUBJECT}} {arrow} {remedy}"), file=out)
        works = works and one.level is not Level.BAD
    return works
