"""One word more, or one less, under a key of a table; every other byte stays as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from lossmon.toml.places import Entry, Header, Span, elements, headers
from lossmon.toml.spelling import key_of, text_of


def words_of(value: object) -> tuple[str, ...]:
    """What stands under a key: a word, or a list of words."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()


def with_word(text: str, table: str, key: str, word: str) -> str:
    """Put a word under a key of a table, behind those that stand there.

    Raises:
        ValueError: It cannot be done without a change to something else.
    """
    entry, words = _find(text, table, key), _words(text, table, key)
    if entry is None:
        changed = _with_entry(text, table, f"{key_of(key)} = {text_of(word)}")
    elif word in words:
        return text
    else:
        changed = _with_element(text, entry.value, text_of(word))
    return _checked(text, changed, table, key, (*words, word))


def without_word(text: str, table: str, key: str, word: str) -> str:
    """Take a word away from under a key of a table.

    Raises:
        ValueError: It cannot be done without a change to something else.
    """
    entry, words = _find(text, table, key), _words(text, table, key)
    if entry is None or word not in words:
        return text
    left = tuple(one for one in words if one != word)
    if left:
        spans = elements(text, entry.value)
        changed = text
        for at in reversed([at for at, one in enumerate(words) if one == word]):
            changed = _without_element(changed, spans, at)
    else:
        changed = _without_entry(text, entry)
    return _checked(text, changed, table, key, left)


def _checked(text: str, changed: str, table: str, key: str, words: tuple[str, ...]) -> str:
    """The changed text, if it says what the other said but for the words under the key."""
    before, after = tomllib.loads(text), tomllib.loads(changed)
    now = words_of(after.get(table, {}).get(key))
    for document in (before, after):
        document.setdefault(table, {}).pop(key, None)
    if now != words or before != after:
        raise ValueError(f"[{table}] {key} cannot be changed in its place")
    return changed


def _words(text: str, table: str, key: str) -> tuple[str, ...]:
    found = tomllib.loads(text).get(table, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"[{table}] is no table")
    return words_of(found.get(key))


def _find(text: str, table: str, key: str) -> Entry | None:
    entries = (entry for header in headers(text) for entry in header.entries)
    return next((entry for entry in entries if entry.path == (table, key)), None)


# ------------------------------------------------------------------------------- one word more


def _with_element(text: str, value: Span, spelled: str) -> str:
    if text[value.start] != "[":
        old = text[value.start : value.end]
        return f"{text[: value.start]}[{old}, {spelled}]{text[value.end :]}"
    spans = elements(text, value)
    if not spans:
        return f"{text[: value.start + 1]}{spelled}{text[value.start + 1 :]}"
    at = spans[-1].end
    return f"{text[:at]}, {spelled}{text[at:]}"


def _with_entry(text: str, table: str, line: str) -> str:
    found = headers(text)
    root = found[0].entries
    for entry in root:
        if entry.path == (table,):
            return _with_member(text, entry, [one for one in root if one.inline], line)
    header = next((one for one in found if one.path == (table,)), None)
    if header is not None:
        return _below(text, header, line)
    dotted = [one for one in root if one.dotted and one.path[0] == table]
    if dotted:
        return _insert_line(text, dotted[-1].value.end, f"{key_of(table)}.{line}")
    end = _line_end(text)
    gap = "" if not text else end if text.endswith("\n") else 2 * end
    return f"{text}{gap}[{key_of(table)}]{end}{line}{end}"


def _with_member(text: str, table: Entry, members: list[Entry], line: str) -> str:
    """Put an entry into an inline table."""
    own = [one for one in members if one.path[:-1] == table.path]
    if own:
        at = own[-1].value.end
        return f"{text[:at]}, {line}{text[at:]}"
    at = table.value.start + 1
    return f"{text[:at]} {line} {text[at:].lstrip()}"


def _below(text: str, header: Header, line: str) -> str:
    """Put a line below the last entry of a table, as far to the right as that."""
    own = [entry for entry in header.entries if not entry.inline]
    if not own:
        return _insert_line(text, header.end, line)
    begin = text.rfind("\n", 0, own[-1].start) + 1
    return _insert_line(text, own[-1].value.end, text[begin : own[-1].start] + line)


def _insert_line(text: str, at: int, line: str) -> str:
    """Put a line below that in which a place lies."""
    end, newline = text.find("\n", at), _line_end(text)
    if end < 0:
        return f"{text}{newline}{line}{newline}"
    return f"{text[: end + 1]}{line}{newline}{text[end + 1 :]}"


def _line_end(text: str) -> str:
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


# ------------------------------------------------------------------------------- one word less


def _without_element(text: str, spans: list[Span], at: int) -> str:
    """Take an element and its comma out of an array, and leave every comment."""
    start, end = spans[at].start, spans[at].end
    if at + 1 < len(spans):
        following = spans[at + 1].start
        if "#" in text[end:following]:
            return _cut_comma(text, start, end)
        return text[:start] + text[following:]
    before = spans[at - 1].end
    if "#" in text[before:start]:
        # The comma before it cannot go; one behind it would be the second.
        return _cut_comma(text, start, end)
    return text[:before] + text[end:]


def _cut_comma(text: str, start: int, end: int) -> str:
    """Cut a stretch and the comma that follows it, if one does, perhaps behind a comment."""
    at = end
    while text[at] not in ",]":
        at = text.index("\n", at) if text[at] == "#" else at + 1
    if text[at] == "]":
        return text[:start] + text[end:]
    return text[:start] + text[end:at] + text[at + 1 :]


def _without_entry(text: str, entry: Entry) -> str:
    """Take an entry away with its line, or leave it with no words where more stands there."""
    begin = text.rfind("\n", 0, entry.start) + 1
    end = text.find("\n", entry.value.end) + 1 or len(text)
    alone = not (text[begin : entry.start] + text[entry.value.end : end]).strip()
    value = text[entry.value.start : entry.value.end]
    if alone and not entry.inline and not (value.startswith("[") and "#" in value):
        return text[:begin] + text[end:]
    return f"{text[: entry.value.start]}[]{text[entry.value.end :]}"
