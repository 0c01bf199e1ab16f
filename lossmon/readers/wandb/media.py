"""Decoder for the histograms, images, PR and ROC curves of W&B's history; images and tables are
files beside the log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lossmon.readers.files.attachments import read_attachment
from lossmon.readers.files.leveldb_log import read_record
from lossmon.readers.files.protobuf import BYTES, MalformedError, decode_fields
from lossmon.readers.values import number, regular
from lossmon.readers.wandb.items import decode_history, decode_key
from lossmon.readers.wandb.tables import classifier_curves
from lossmon.sanitize import one_line
from lossmon.types import (
    MOST_AT_ONCE,
    LoggedImage,
    MediaContent,
    MediaKind,
    MediaRecord,
    MediaSeries,
    UnreadableMedia,
)

_HISTORY = 2
"""Number of the field of a record that holds history."""

_LARGEST_IMAGE = 64 << 20
"""Bytes of the image files that are read for one record."""

_MOST_BINS = 100_000
"""Bins of a histogram whose width is stated instead of its edges; W&B itself allows 512."""

_LONGEST_NAME = 300
"""Characters of the name of a file that are shown."""


def load_media(series: MediaSeries, records: Sequence[MediaRecord]) -> list[MediaContent]:
    """Decode records of one series; see `Format.load_media`."""
    return [_load(series, record) for record in records]


def _load(series: MediaSeries, record: MediaRecord) -> MediaContent:
    tag = series.tag
    content = read_record(record.path, record.offset, record.length)
    if content is None:
        return UnreadableMedia("the record is damaged, or the file was replaced")
    try:
        if series.kind in (MediaKind.PR_CURVE, MediaKind.ROC_CURVE):
            return _curve(content, tag, record.path.parent)
        logged = _object(content, tag)
    except (MalformedError, ValueError, RecursionError):
        return UnreadableMedia("the record is damaged")
    if logged.get("_type") == "histogram":
        return _histogram(logged) or UnreadableMedia("a histogram without values")
    return _image(logged, record.path.parent)


def _curve(content: bytes, tag: str, run: Path) -> MediaContent:
    """The curve of a table; the class follows the name of the table."""
    for table, path in _tables(content):
        curves = classifier_curves(run, path) if tag == table or tag.startswith(f"{table}/") else {}
        if (found := curves.get(tag[len(table) + 1 :])) is not None:
            return found
    return UnreadableMedia("the file of its table is not there")


def _tables(content: bytes) -> Iterator[tuple[str, str]]:
    """Names and paths of the tables in a record."""
    for key, value in _items(content):
        if key.endswith(".path"):
            name, path = key.removesuffix(".path"), json.loads(value)
        else:
            whole = json.loads(value) if value[:1] == b"{" else None
            name, path = key, whole.get("path") if isinstance(whole, dict) else None
        if isinstance(path, str):
            yield name, path


def _object(content: bytes, tag: str) -> dict[str, object]:
    """Return what was logged under a tag, whose keys may be items of their own.

    Raises:
        MalformedError: The bytes are not a record.
        ValueError: A value is not JSON.
    """
    logged: dict[str, object] = {}
    for key, value in _items(content):
        if key == tag:
            whole = json.loads(value)
            logged |= whole if isinstance(whole, dict) else {}
        elif key.startswith(f"{tag}."):
            logged[key[len(tag) + 1 :]] = json.loads(value)
    return logged


def _items(content: bytes) -> Iterator[tuple[str, bytes]]:
    for field in decode_fields(content, 0, len(content)):
        if field.number == _HISTORY and field.wire == BYTES:
            for key, value in decode_history(content, field.start, field.stop):
                yield decode_key(key), value


def _histogram(logged: Mapping[str, object]) -> MediaContent | None:
    counts = logged.get("values")
    if not isinstance(counts, list):
        return None
    held = [_float(one) for one in counts]
    edges = logged.get("bins")
    if isinstance(edges, list):
        bounds = np.array([_float(one) for one in edges[: len(held) + 1]])
    else:
        bounds = _packed(logged, len(held))
    if len(bounds) != len(held) + 1:
        return None
    return regular(bounds[:-1], bounds[1:], np.array(held))


def _packed(
    logged: Mapping[str, object], count: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Edges of bins of one width, given by the lowest edge and the width."""
    packed = logged.get("packedBins")
    parts = (
        packed
        if isinstance(packed, dict)
        else {name: logged.get(f"packedBins.{name}") for name in ("min", "size", "count")}
    )
    low, size = _float(parts.get("min")), _float(parts.get("size"))
    if parts.get("count") != count or count > _MOST_BINS:
        return np.empty(0)
    with np.errstate(over="ignore", invalid="ignore"):
        return low + size * np.arange(count + 1.0)


def _float(value: object) -> float:
    found = number(value)
    return float("nan") if found is None else found


def _image(logged: Mapping[str, object], run: Path) -> MediaContent:
    several = logged.get("filenames")
    paths = several if isinstance(several, list) else [logged.get("path")]
    named = [path for path in paths if isinstance(path, str)]
    if not named:
        return UnreadableMedia("an image without a file")
    data, problem = _read(run / "files", named[:MOST_AT_ONCE])
    width, height = _pixels(logged.get("width")), _pixels(logged.get("height"))
    shown = one_line(named[0], _LONGEST_NAME)
    return LoggedImage(shown, width, height, data, problem, len(named))


def _read(directory: Path, paths: Sequence[str]) -> tuple[tuple[bytes, ...], str]:
    """Contents of image files, and what is wrong where there are none."""
    data: list[bytes] = []
    left = _LARGEST_IMAGE
    for path in paths:
        content = read_attachment(directory, path, left + 1)
        if content is not None and len(content) > left:
            return tuple(data), "" if data else f"larger than {_LARGEST_IMAGE >> 20} MB"
        if content:
            data.append(content)
            left -= len(content)
    return tuple(data), "" if data else "its file is not there"


def _pixels(value: object) -> int:
    found = number(value)
    return int(found) if found is not None and 0 <= found < 1e9 else 0
