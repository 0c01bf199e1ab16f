"""Registry of the formats, and detection of the one that a file has."""

from __future__ import annotations

import os
import sys
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.readers.files.head import read_head
from lossmon.readers.format import Dialect, Format, NamePatterns
from lossmon.readers.run_directories import RunDirectories

if TYPE_CHECKING:
    from lossmon.readers.plugins import Plugin

FAMILIES = (
    "tensorboard",
    "wandb",
    "swanlab",
    "visualdl",
    "comet",
    "jsonl",
    "documents",
    "tables",
    "databases",
    "samples",
    "notebook",
    "text",
)
"""Packages of this one that define formats, in the order in which their formats are asked. The
general formats are asked after all others, and those of plugins first."""

PLUGINS = "lossmon.formats"
"""Group of the entry points of plugins."""

NO_METRICS = (
    *("tokenizer*.json", "vocab*.json", "*vocab.json", "*config*.json", "params.json", "args.json"),
    *("special_tokens_map.json", "added_tokens.json", "preprocessor*.json", "dataset_info*.json"),
    *("dataset_dict.json", "package*.json", "tsconfig.json", "*.index.json", "*.trace.json*"),
    *("requirements*", "merges.txt"),
)
"""Names of files that lie beside many logs and hold none, although their endings are those of
logs."""


@cache
def plugins() -> tuple[Plugin, ...]:
    """Return the packages that add formats, loaded."""
    if not _may_have_plugins():
        return ()
    from lossmon.readers.plugins import installed

    return tuple(installed(PLUGINS))


def _may_have_plugins() -> bool:
    """Whether any installed package may have an entry point of ours.

    A look into `entry_points.txt` of each package takes a tenth of the time that the import of
    `importlib.metadata` alone takes.
    """
    group = f"[{PLUGINS}]".encode()
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except NotADirectoryError:
            return True
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                    if group in file.read():
                        return True
            except OSError:
                continue
    return False


@cache
def formats() -> tuple[Format, ...]:
    """Return every format, in the order in which they are asked about a file."""
    own = [one for family in FAMILIES for one in import_module(f"lossmon.readers.{family}").FORMATS]
    own.sort(key=lambda one: one.general)
    return (*(one for plugin in plugins() for one in plugin.formats), *own)


def plugin_notes() -> tuple[str, ...]:
    """Return why plugins are not used."""
    return tuple(plugin.fault for plugin in plugins() if plugin.fault)


def recognised() -> tuple[str, ...]:
    """Return what can be read, for the message that nothing was found."""
    return tuple(dict.fromkeys(one.title for one in formats()))


@cache
def directories() -> RunDirectories:
    """Return how the directories of a tree belong to runs."""
    return RunDirectories(one.directories for one in formats())


@cache
def dialect(source: str) -> Dialect:
    """Return what is special about the tags of a source; nothing if no format has that name."""
    return next((one.dialect for one in formats() if one.source == source), Dialect())


@cache
def _named() -> NamePatterns:
    return NamePatterns(name for one in formats() if one.lies is None for name in one.names)


@cache
def _without_metrics() -> NamePatterns:
    return NamePatterns((*NO_METRICS, *(name for one in formats() for name in one.no_metrics)))


@cache
def _write_ahead() -> NamePatterns:
    return NamePatterns(name for one in formats() if one.write_ahead for name in one.names)


@cache
def _placed() -> tuple[Format, ...]:
    return tuple(one for one in formats() if one.lies is not None)


@lru_cache(1024)
def _candidates(name: str) -> tuple[Format, ...]:
    """The formats that a file of this lower-cased name may have."""
    return tuple(one for one, names in _names() if names.match(name))


@cache
def _names() -> tuple[tuple[Format, NamePatterns], ...]:
    return tuple((one, NamePatterns(one.names)) for one in formats())


def is_possible(name: str) -> bool:
    """Whether a file of this name may be of any format; does not look at the file."""
    return _named().match(name.lower())


def is_interesting(directory: str, name: str) -> bool:
    """Whether a file below a directory that is searched is looked at."""
    if is_possible(name):
        return not _without_metrics().match(name.lower())
    path = os.path.join(directory, name)
    return any(one.lies is not None and one.lies(path) for one in _placed())


def has_write_ahead(name: str) -> bool:
    """Whether a file of this name may be a database with a log of its newest rows beside it."""
    return _write_ahead().match(name.lower())


def detect(path: Path) -> Format | None:
    """Return the format of a file, None if no reader knows it.

    Looks at the first `HEAD` bytes of a regular file and at nothing else.
    """
    head = read_head(path)
    return None if head is None else detect_head(path, head)


def detect_head(path: Path, head: bytes) -> Format | None:
    """Return the format of a file, given its first bytes."""
    name = path.name.lower()
    if _without_metrics().match(name):
        return None
    candidates = _candidates(name)
    if any(one.repeats is not None and one.repeats(path) for one in candidates):
        return None
    return next((one for one in candidates if is_claimed(one, path, head)), None)


def is_claimed(one: Format, path: Path, head: bytes) -> bool:
    """Whether a format takes a file, given its first bytes."""
    return one.fits(path) and one.marker in head and one.claims(path, head)


STAND_INS = (".jsonl", ".log")
"""Endings under which a file of an unknown name is tried, the most telling first."""


def detect_named(path: Path, head: bytes) -> Format | None:
    """Return the format of a file that the user named, whatever its own name is.

    A name that no format has says nothing about the contents, so the contents decide.
    """
    found = detect_head(path, head)
    if found is not None or is_possible(path.name) or b"\0" in head:
        return found
    stand_ins = (path.with_name(path.name + ending) for ending in STAND_INS)
    return next((format for one in stand_ins if (format := detect_head(one, head))), None)
