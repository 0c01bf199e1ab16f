"""Checks of the terminal: is there one, and what can it show?"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping

from lossmon.doctor.result import CheckResult, good, note
from lossmon.ui.terminal import TRUE_COLOR, detect

NARROWEST, LOWEST = 40, 9
"""Columns and rows from which the screen shows a chart."""


def check_terminal() -> Iterator[CheckResult]:
    """The terminal of this process."""
    if sys.stdout.isatty():
        size = shutil.get_terminal_size()
        yield from examine(os.environ, (size.columns, size.lines))
    else:
        yield note(
            "terminal",
            "the output is not a terminal",
            "the screen needs one; `lossmon check PATH` and `lossmon PATH --once` do not",
        )


def examine(environ: Mapping[str, str], size: tuple[int, int]) -> Iterator[CheckResult]:
    """A terminal by its variables and its size in columns and rows."""
    width, height = size
    name = environ.get("TERM") or "unknown"
    if width < NARROWEST or height < LOWEST:
        remedy = f"make it at least {NARROWEST}x{LOWEST} to see a chart"
        yield note("terminal", f"{name}, {width}x{height}", remedy)
    else:
        yield good("terminal", f"{name}, {width}x{height}")
    found = detect(environ)
    yield _characters(found.unicode)
    yield _colours(found.colors, environ)
    if found.has_images:
        yield good("images", "drawn by the terminal (Kitty graphics)")
    if environ.get("TMUX"):
        yield good("tmux", "alerts can be shown by it: lossmon watch PATH --tmux")


def _characters(unicode: bool) -> CheckResult:
    if unicode:
        return good("characters", "Unicode")
    return note(
        "characters",
        "ASCII: the locale or the terminal does not take UTF-8, so curves are coarse",
        "set LANG=C.UTF-8 (or another UTF-8 locale); --charset unicode forces it",
    )


def _colours(colors: int, environ: Mapping[str, str]) -> CheckResult:
    if colors >= TRUE_COLOR:
        return good("colours", "16 million")
    if environ.get("NO_COLOR"):
        return note("colours", "none: NO_COLOR is set", "unset NO_COLOR to have them")
    if colors > 16:
        return note("colours", f"{colors}", "set COLORTERM=truecolor if the terminal knows more")
    return note(
        "colours",
        f"{colors or 'none'}: themes are replaced by the terminal's own colours",
        "set TERM to what the terminal is, such as xterm-256color, and COLORTERM=truecolor",
    )
