"""Formats that other packages add through the entry point group `lossmon.formats`.

The entry point names a `Format` or an iterable of them. A plugin that cannot be loaded, or whose
functions raise, is dropped with a note; it never ends the program. What it prints goes to standard
error, because standard output belongs to the commands.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from lossmon.errors import internal_error
from lossmon.readers.format import DirectoryRules, Format, Origin
from lossmon.types import Batch, Reader

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Plugin:
    """The formats of one entry point.

    Attributes:
        name: Name of the entry point.
        formats: What it offers; their functions are guarded. Empty if it could not be loaded.
        fault: Why it is not used any more, or empty.
    """

    def __init__(self, name: str, load: Callable[[], object]) -> None:
        """Load the formats."""
        self.name = name
        self.fault = ""
        self.formats: tuple[Format, ...] = ()
        try:
            with redirect_stdout(sys.stderr):
                self.formats = tuple(self._guarded(one) for one in _checked(load()))
        except BaseException as error:
            self._drop(error)

    def _drop(self, error: BaseException) -> None:
        self.fault = f"format plugin {self.name}: {internal_error(error)}; it is not used"

    def _guarded(self, one: Format) -> Format:
        rules = one.directories
        return replace(
            one,
            claims=self._guard(one.claims, False),
            open=lambda path: _QuietReader(one.open, path),
            lies=one.lies and self._guard(one.lies, False),
            repeats=one.repeats and self._guard(one.repeats, False),
            superseded=one.superseded and self._guard(one.superseded, (), Collection),
            origin=one.origin and self._guard(one.origin, Origin(), Origin),
            directories=replace(
                rules, part_of=rules.part_of and self._guard(rules.part_of, None, str, NoneType)
            ),
        )

    def _guard(
        self, function: Callable[..., Any], otherwise: object, *kinds: type
    ) -> Callable[..., Any]:
        """The function, which answers `otherwise` once anything of this plugin was at fault.

        Args:
            kinds: Types of an answer, any if there are none.
        """

        def call(*arguments: Any) -> Any:
            if self.fault:
                return otherwise
            try:
                with redirect_stdout(sys.stderr):
                    answer = function(*arguments)
                if kinds and not isinstance(answer, kinds):
                    names = " or ".join(kind.__name__ for kind in kinds)
                    raise TypeError(f"{names} is needed, not {type(answer).__name__}")
                return answer
            except BaseException as error:
                self._drop(error)
                return otherwise

        return call


class _QuietReader:
    """A reader of a plugin."""

    def __init__(self, make: Callable[[Path], Reader], path: Path) -> None:
        with redirect_stdout(sys.stderr):
            self._reader = make(path)
        self.path = path
        self.source = self._reader.source

    def read(self, deadline: float) -> Batch:
        with redirect_stdout(sys.stderr):
            return self._reader.read(deadline)


def _checked(loaded: object) -> Iterator[Format]:
    """Give the formats that an entry point refers to.

    Raises:
        TypeError: It refers to something else; says to what.
        re.error: A pattern of theirs does not compile.
    """
    for one in (loaded,) if isinstance(loaded, Format) else _iterated(loaded):
        if not isinstance(one, Format):
            raise TypeError(f"a Format is needed, not {type(one).__name__}")
        if not isinstance(one.names, tuple) or not all(isinstance(name, str) for name in one.names):
            raise TypeError(f"{one.title}: names must be a tuple of patterns")
        rules: DirectoryRules = one.directories
        for pattern in (rules.run, rules.numbered, rules.telling):
            re.compile(pattern)
        yield one


def _iterated(loaded: object) -> Iterable[object]:
    if not isinstance(loaded, Iterable):
        raise TypeError(f"a Format is needed, not {type(loaded).__name__}")
    return loaded


def installed(group: str) -> list[Plugin]:
    """Load the plugins that are installed under a group of entry points."""
    from importlib.metadata import entry_points

    found: Iterable[EntryPoint] = entry_points(group=group)
    return [Plugin(one.name, one.load) for one in sorted(found, key=lambda one: one.name)]
