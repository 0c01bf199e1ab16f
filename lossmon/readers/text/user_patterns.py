"""Patterns of the user's own for a log that nothing recognises, run under a time limit."""

from __future__ import annotations

import contextlib
import json
import re
import select
import subprocess
import sys
from collections.abc import Mapping

from lossmon.errors import ConfigError
from lossmon.readers.text.templates import PLACES, Template, named_template

LIMIT = 1.0
"""Seconds for a batch of lines. A sound expression needs a thousandth of that; one that backtracks
without end would need years."""

START = 10.0
"""Seconds for the process to start: long on a machine that is busy training, 0.05 else."""

LONGEST = 4096
"""Characters of a line that the expression gets to see."""

MOST_DIGITS = 18
"""Digits of a step: what 64 bits hold."""

_CHILD = """
import json, re, sys
from itertools import islice
patterns = [re.compile(one) for one in json.loads(sys.stdin.readline())]
def groups(line):
    for one in patterns:
        most = 64 if {"name", "value"} <= set(one.groupindex) else 1
        if found := [m.groupdict() for m in islice(one.finditer(line), most)]:
            return found
    return []
print(flush=True)
for request in sys.stdin:
    print(json.dumps([groups(line) for line in json.loads(request)]), flush=True)
"""
"""The expressions run in a process of their own: nothing can stop one that backtracks in ours."""

LONGEST_NAME = 200
"""Characters of a tag that the line itself spells in the group `name`."""

MOST_TEMPLATES = 1024
"""Sets of names remembered at once: a line that names its metrics itself can have any."""

Found = tuple[Template, tuple[str, ...]] | None


class Pattern:
    """Regular expressions with named groups that read metric lines.

    The groups `step`, `total`, `epoch`, `epochs`, `rank` and `time` say where the line stands.
    Every other named group is a metric, and its name is the tag; but `name` and `value` together
    are a metric that the line itself names, and there may be several of them in a line.

    Attributes:
        expressions: The expressions by what the user calls them; each is searched for in a line
            until one fits.
        failure: Why they are not used any more, empty while they are.
    """

    def __init__(self, expressions: str | Mapping[str, str]) -> None:
        """Check the expressions.

        Raises:
            ConfigError: One does not compile, or it names no metric; says which.
        """
        if isinstance(expressions, str):
            expressions = {expressions: expressions}
        for name, expression in expressions.items():
            _check(name, expression)
        self.expressions = dict(expressions)
        self.failure = ""
        self._child: subprocess.Popen[str] | None = None
        self._templates: dict[tuple[str, ...], Template] = {}

    def find(self, lines: list[str]) -> list[Found]:
        """Return what is found in each line, None where nothing fits.

        Lines that take longer than `LIMIT` end the use of the expressions; see `failure`.
        """
        if self.failure or not lines:
            return [None] * len(lines)
        answer = self._ask(json.dumps([line[:LONGEST] for line in lines]))
        if answer is None:
            names = ", ".join(map(repr, self.expressions))
            self.failure = f"pattern {names} took longer than {LIMIT:g} s: not used"
            self.close()
            return [None] * len(lines)
        return [self._row(matches) for matches in json.loads(answer)]

    def close(self) -> None:
        """End the process that runs the expressions."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            child.wait()

    def __del__(self) -> None:
        if hasattr(self, "_child"):
            self.close()

    def _row(self, matches: list[dict[str, str | None]]) -> Found:
        """The numbers of a line; groups that are not numbers are left out."""
        kept: dict[str, str] = {}
        for groups in matches:
            for name, text in _numbers(groups).items():
                kept.setdefault(name, text)
        names = tuple(kept)
        if not set(names) - set(PLACES):
            return None
        template = self._templates.get(names)
        if template is None:
            if len(self._templates) >= MOST_TEMPLATES:
                self._templates.clear()
            template = self._templates[names] = named_template(names)
        return template, tuple(kept.values())

    def _ask(self, request: str) -> str | None:
        """Send lines to the process and wait for its answer, at most `LIMIT` seconds."""
        if self._child is None:
            self._child = _spawn()
            if self._answer(json.dumps(list(self.expressions.values())), START) is None:
                return None
        return self._answer(request, LIMIT)

    def _answer(self, request: str, limit: float) -> str | None:
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            return None
        try:
            child.stdin.write(request + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            return None
        if not select.select([child.stdout], [], [], limit)[0]:
            return None
        return child.stdout.readline() or None


def _spawn() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )


def _check(name: str, expression: str) -> None:
    try:
        groups = set(re.compile(expression).groupindex) - set(PLACES)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"pattern {name!r}: {error}") from error
    if not groups or (groups & {"name", "value"} and not groups >= {"name", "value"}):
        raise ConfigError(
            f"pattern {name!r}: no named group for a metric; use (?P<loss>...), or both "
            "(?P<name>...) and (?P<value>...)"
        )


def _numbers(groups: dict[str, str | None]) -> dict[str, str]:
    """The groups of one match that are what their names promise."""
    named = groups.pop("name", None)
    if named is not None and (tag := named.strip()[:LONGEST_NAME]).isprintable():
        value = groups.pop("value", None)
        if tag and tag not in PLACES:
            groups[tag] = value
    return {name: text for name, text in groups.items() if text and _fits(name, text)}


def _fits(name: str, text: str) -> bool:
    """Whether the text of a group can be what its name promises."""
    if name == "time":
        return True
    if name in ("step", "total", "epochs", "rank"):
        return text.isdecimal() and len(text) <= MOST_DIGITS
    try:
        value = float(text)
    except ValueError:
        return False
    return name != "epoch" or 0 <= value < 1e9
