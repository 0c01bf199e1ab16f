"""Formats that other packages add through the entry point group `lossmon.formats`.

The entry point names a `Format` or an iterable of them. A plugin that cannot be loaded, or whose
functions raise or do not return, is dropped with a note; it never ends the program. What it prints
goes to standard error, because standard output belongs to the commands.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from types import NoneType
from typing import TYPE_CHECKING, Any

from lossmon.errors import ReadError, internal_error
from lossmon.readers.format import DirectoryRules, Format, Origin
from lossmon.types import Batch, Reader

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


PATIENCE = 10.0
"""Seconds for which a function of a plugin is waited for: imports from a cold network drive take
some, while a reader is asked to return within a fraction of a second."""


class HangError(Exception):
    """A function of a plugin has not returned."""


class _Thread:
    """Calls the functions of a plugin one after another, so that one that hangs can be left."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._is_hanging = False
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function.

        Raises:
            HangError: It does not return, or an earlier one has not.
            BaseException: Whatever it raises.
        """
        if self._is_hanging:
            raise HangError("an earlier call has not returned")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="plugin", daemon=True)
            self._thread.start()
        call = _Call(function, arguments)
        self._calls.put(call)
        with redirect_stdout(sys.stderr):
            self._is_hanging = not call.done.wait(PATIENCE)
        if self._is_hanging:
            raise HangError(f"no answer within {PATIENCE:.0f} s")
        if call.error is not None:
            raise call.error
        return call.answer

    def _run(self) -> None:
        while True:
            self._calls.get().make()


class _Call:
    """A call of a function in another thread."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.done = threading.Event()
        self.answer: Any = None
        self.error: BaseException | None = None
        self._function, self._arguments = function, arguments

    def make(self) -> None:
        """Call it, and keep what comes of that."""
        try:
            self.answer = self._function(*self._arguments)
        except BaseException as error:
            self.error = error
        self.done.set()


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
        self._thread = _Thread()
        try:
            loaded = self._thread.call(lambda: tuple(_checked(load())))
            self.formats = tuple(map(self._guarded, loaded))
        except BaseException as error:
            self._drop(error)

    def _drop(self, error: BaseException, *arguments: object) -> None:
        reason = str(error) if isinstance(error, HangError) else internal_error(error)
        reason = "".join((*(f"{one}: " for one in arguments if isinstance(one, Path)), reason))
        self.fault = f"format plugin {self.name}: {reason}; it is not used"

    def _guarded(self, one: Format) -> Format:
        rules = one.directories
        return replace(
            one,
            claims=self._guard(one.claims, False),
            open=lambda path: _PluginReader(self, one.open, path),
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
                answer = self._thread.call(function, *arguments)
                if kinds and not isinstance(answer, kinds):
                    names = " or ".join(kind.__name__ for kind in kinds)
                    raise TypeError(f"{names} is needed, not {type(answer).__name__}")
                return answer
            except BaseException as error:
                self._drop(error, *arguments)
                return otherwise

        return call

    def call(self, path: Path, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a reader.

        Raises:
            ReadError: It does not return.
        """
        try:
            return self._thread.call(function, *arguments)
        except HangError as error:
            if not self.fault:
                self._drop(error, path)
            raise ReadError(
                f"{path}: format plugin {self.name}: {error}; the file is read no further"
            ) from None


class _PluginReader:
    """A reader of a plugin."""

    def __init__(self, plugin: Plugin, make: Callable[[Path], Reader], path: Path) -> None:
        self._plugin = plugin
        self._reader: Reader = plugin.call(path, make, path)
        self.path = path
        self.source = self._reader.source

    def read(self, deadline: float) -> Batch:
        batch: Batch = self._plugin.call(self.path, self._reader.read, deadline)
        return batch


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
