"""A pattern of the user's own for a log that nothing recognises, run under a time limit."""

from __future__ import annotations

import contextlib
import json
import re
import select
import subprocess
import sys

from lossmon.errors import ConfigError
from lossmon.readers.text_shapes import PLACES, Template, named_template

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
find = re.compile(json.loads(sys.stdin.readline())).search
print(flush=True)
for request in sys.stdin:
    found = [find(line) for line in json.loads(request)]
    print(json.dumps([m and m.groupdict() for m in found]), flush=True)
"""
"""The expression runs in a process of its own: nothing can stop one that backtracks in ours."""


Found = tuple[Template, tuple[str, ...]] | None


class Pattern:
    """A regular expression with named groups that reads metric lines.

    The groups `step`, `total`, `epoch`, `epochs`, `rank` and `time` say where the line stands;
    every other named group is a metric, and its name is the tag.

    Attributes:
        expression: The regular expression; it is searched for in each line.
        failure: Why it is not used any more, empty while it is.
    """

    def __init__(self, expression: str) -> None:
        """Check the expression.

        Raises:
            ConfigError: It does not compile, or it names no metric.
        """
        try:
            compiled = re.compile(expression)
        except re.error as error:
            raise ConfigError(f"pattern {expression!r}: {error}") from error
        if not set(compiled.groupindex) - set(PLACES):
            raise ConfigError(f"pattern {expression!r}: no named group for a metric")
        self.expression = expression
        self.failure = ""
        self._child: subprocess.Popen[str] | None = None
        self._templates: dict[tuple[str, ...], Template] = {}

    def find(self, lines: list[str]) -> list[Found]:
        """Return what the expression finds in each line, None where it does not fit.

        Lines that take longer than `LIMIT` end the use of the expression; see `failure`.
        """
        if self.failure or not lines:
            return [None] * len(lines)
        answer = self._ask(json.dumps([line[:LONGEST] for line in lines]))
        if answer is None:
            self.failure = f"pattern {self.expression!r} took longer than {LIMIT} s: not used"
            self.close()
            return [None] * len(lines)
        return [self._row(groups) for groups in json.loads(answer)]

    def close(self) -> None:
        """End the process that runs the expression."""
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

    def _row(self, groups: dict[str, str | None] | None) -> Found:
        """The numbers of a line; groups that are no numbers are left out."""
        if groups is None:
            return None
        kept = {name: text for name, text in groups.items() if text and _fits(name, text)}
        names = tuple(kept)
        if not set(names) - set(PLACES):
            return None
        template = self._templates.get(names)
        if template is None:
            template = self._templates[names] = named_template(names)
        return template, tuple(kept.values())

    def _ask(self, request: str) -> str | None:
        """Send lines to the process and wait for its answer, at most `LIMIT` seconds."""
        if self._child is None:
            self._child = _spawn()
            if self._answer(json.dumps(self.expression), START) is None:
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
