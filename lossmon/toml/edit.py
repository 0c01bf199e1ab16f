"""Edits of one key of a TOML file: every other byte stays, and the file is replaced at once."""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from lossmon.errors import ConfigError
from lossmon.toml import LARGEST

Entries = MutableMapping[str, Any]
"""A table of the document."""


def words_of(value: object) -> tuple[str, ...]:
    """The words under a key: one word, or a list of words."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()


def with_word(text: str, table: str, key: str, word: str) -> str:
    """Add a word to those under a key of a table; makes the table and the key if needed.

    Raises:
        ValueError: The document cannot be changed without changing something else.
    """

    def add(entries: Entries) -> None:
        if key not in entries:
            value = tomlkit.string(word)
            if entries:
                value.trivia.indent = tomlkit.item(list(entries.values())[-1]).trivia.indent
            entries[key] = value
        elif isinstance(entries[key], list):
            entries[key].append(word)
        else:
            entries[key] = [entries[key], word]

    words = _words(text, table, key)
    return text if word in words else _changed(text, table, key, (*words, word), add)


def without_word(text: str, table: str, key: str, word: str) -> str:
    """Remove a word from those under a key of a table, and the key with the last word.

    Raises:
        ValueError: The document cannot be changed without changing something else.
    """

    def remove(entries: Entries) -> None:
        if left:
            while word in entries[key]:
                entries[key].remove(word)
        elif tomlkit.item(entries[key]).trivia.comment:
            # The comment of the line is the user's: it stays, after an empty list.
            entries[key] = []
        else:
            del entries[key]

    words = _words(text, table, key)
    left = tuple(one for one in words if one != word)
    return _changed(text, table, key, left, remove) if word in words else text


def with_value(text: str, key: str, value: str | float | bool | None) -> str:
    """Set a key at the top of the document; None removes it.

    Raises:
        ValueError: The document cannot be changed without changing something else.
    """
    wanted = {one: old for one, old in tomllib.loads(text).items() if one != key}
    try:
        document = tomlkit.parse(text)
        if value is not None:
            document[key] = value
        elif key in document:
            del document[key]
        after = tomlkit.dumps(document)
        found = tomllib.loads(after)
    except (TOMLKitError, tomllib.TOMLDecodeError, AttributeError, LookupError, TypeError) as error:
        raise ValueError(f"{key} cannot be changed: {error}") from error
    if found != wanted | ({} if value is None else {key: value}):
        raise ValueError(f"{key} cannot be changed without changing something else")
    return after


def _words(text: str, table: str, key: str) -> tuple[str, ...]:
    found = tomllib.loads(text).get(table, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"[{table}] is not a table")
    return words_of(found.get(key))


def _changed(
    text: str, table: str, key: str, words: tuple[str, ...], change: Callable[[Entries], None]
) -> str:
    """The text after a change of one table, if that changed nothing but the words under the key."""
    try:
        after = _apply(text, table, change)
        safe = _is_safe(text, after, table, key, words)
    except (TOMLKitError, AttributeError, LookupError, TypeError) as error:
        # Some documents that the standard library reads are too much for tomlkit.
        raise ValueError(f"[{table}] {key} cannot be changed: {error}") from error
    if not safe:
        raise ValueError(f"[{table}] {key} cannot be changed without changing something else")
    return after


def _apply(text: str, table: str, change: Callable[[Entries], None]) -> str:
    if table in tomllib.loads(text):
        document = tomlkit.parse(text)
    else:
        end = "" if not text or text.endswith("\n") else "\n"
        document = tomlkit.parse(text + end)
        added = tomlkit.table()
        added.trivia.indent = "\n" if text else ""
        document[table] = added
    change(_entries(document, table))
    after = tomlkit.dumps(document)
    if "\r\n" in text and "\n" not in text.replace("\r\n", ""):
        after = after.replace("\r\n", "\n").replace("\n", "\r\n")
    return after


def _is_safe(before: str, after: str, table: str, key: str, words: tuple[str, ...]) -> bool:
    """Whether two documents differ in nothing but the words under the key."""
    old, new = tomllib.loads(before), tomllib.loads(after)
    if table in old:
        same_text = _rest(before, table, key) == _rest(after, table, key)
    else:
        same_text = after.startswith(before)
    same_words = words_of(new.get(table, {}).get(key)) == words
    for one in (old, new):
        one.setdefault(table, {}).pop(key, None)
    return same_text and same_words and old == new


def _rest(text: str, table: str, key: str) -> list[str]:
    """The text without the key and without the gaps that it leaves."""
    document = tomlkit.parse(text)
    if table in document:
        _entries(document, table).pop(key, None)
    return tomlkit.dumps(document).split()


def _entries(document: tomlkit.TOMLDocument, table: str) -> Entries:
    entries: Entries = document[table]
    return entries


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Replace a TOML file by its changed text; a missing file is created.

    A symbolic link stays a link, and the file keeps its mode.

    Args:
        change: Returns the new text for the old one, or raises ValueError.

    Raises:
        ConfigError: The file cannot be rewritten; it is unchanged.
    """
    path = Path(os.path.realpath(path))
    try:
        before = _read(path)
        text = "" if before is None else before.decode("utf-8")
        tomllib.loads(text)
        changed = change(text)
        tomllib.loads(changed)
        fresh = changed.encode("utf-8")
        if fresh != before:
            _replace(path, before, fresh)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except UnicodeError as error:
        raise ConfigError(f"{path}: is not UTF-8: {error}") from error
    except (OSError, ValueError, IndexError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"{path}: {reason or error}") from error


def _read(path: Path) -> bytes | None:
    """The contents, None where there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("is not a file")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        # Without this check, a writable directory would allow the replacement.
        raise ValueError("is read-only")
    if status.st_size > LARGEST:
        raise ValueError(f"is larger than {LARGEST >> 10} KiB")
    return path.read_bytes()


def _replace(path: Path, before: bytes | None, fresh: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        if before is not None:
            os.chmod(name, stat.S_IMODE(path.stat().st_mode))
        if _read(path) != before:
            raise ValueError("was changed meanwhile")
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
