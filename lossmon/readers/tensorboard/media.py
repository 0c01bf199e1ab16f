"""Decoder for the histograms, PR curves and images of event files, by TensorBoard's messages.

Only imported when one of them is looked at: the messages take longer to import than most files to
read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from lossmon.readers.tensorboard.tfrecord import FOOTER, crc32c, masked
from lossmon.readers.values import regular
from lossmon.regular_file import open_regular
from lossmon.sanitize import one_line
from lossmon.types import (
    MOST_AT_ONCE,
    Floats,
    LoggedImage,
    MediaContent,
    MediaKind,
    MediaRecord,
    MediaSeries,
    PrCurve,
    UnreadableMedia,
)

_LARGEST_IMAGE = 64 << 20
"""Bytes of the largest record with an image that is read."""

_LARGEST = 8 << 20
"""Bytes of the largest record with a histogram or a PR curve: some hundred thousand bins."""

_DTYPES = {1: "<f4", 2: "<f8"}
"""Float and double, by number of the type in TensorFlow's `types.proto`."""

_EMPTY = "a histogram without values"

_PR_ROWS = 6
"""Rows of a PR curve: true and false positives, true and false negatives, precision, recall."""


def load_media(series: MediaSeries, records: Sequence[MediaRecord]) -> list[MediaContent]:
    """Decode records of one series; see `Format.load_media`."""
    with ExitStack() as stack:
        files: dict[Path, int | None] = {}
        for path in {record.path for record in records}:
            files[path] = _opened(path, stack)
        return [_load(series, record, files[record.path]) for record in records]


def _opened(path: Path, stack: ExitStack) -> int | None:
    try:
        return stack.enter_context(open_regular(path)).fileno()
    except OSError:
        return None


def _load(series: MediaSeries, record: MediaRecord, file: int | None) -> MediaContent:
    if file is None:
        return UnreadableMedia(f"{record.path.name} cannot be opened")
    limit = _LARGEST_IMAGE if series.kind is MediaKind.IMAGE else _LARGEST
    if record.length > limit:
        return UnreadableMedia(f"too large: {record.length >> 20} MB")
    try:
        data = os.pread(file, record.length + FOOTER, record.offset)
    except OSError as error:
        return UnreadableMedia(f"{record.path.name}: {error.strerror or error}")
    payload, stored = data[: record.length], int.from_bytes(data[record.length :], "little")
    if len(data) < record.length + FOOTER or masked(crc32c(payload)) != stored:
        return UnreadableMedia("the record is damaged, or the file was replaced")
    try:
        event = Event.FromString(payload)
    except DecodeError:
        return UnreadableMedia("the record is damaged")
    found = (_content(series.kind, value, record) for value in _values(event, series.tag))
    return next((one for one in found if one is not None), UnreadableMedia("nothing to show"))


def _values(event: Event, tag: str) -> Iterator[Summary.Value]:
    return (value for value in event.summary.value if one_line(value.tag) == tag)


def _content(kind: MediaKind, value: Summary.Value, record: MediaRecord) -> MediaContent | None:
    what = value.WhichOneof("value")
    if what == "histo":
        return _histogram(value.histo)
    if what == "image":
        image = value.image
        size = max(0, image.width), max(0, image.height)
        return LoggedImage(record.path.name, *size, (image.encoded_image_string,))
    if what != "tensor":
        return None
    if kind is MediaKind.IMAGE:
        return _image(value.tensor, record)
    rows = _matrix(value.tensor)
    if rows is None:
        return None
    return _pr_curve(rows) if kind is MediaKind.PR_CURVE else _bins(rows)


def _histogram(proto: HistogramProto) -> MediaContent:
    """A histogram whose bins are given by their upper edges; the outer ones may be infinite."""
    right, counts = np.array(proto.bucket_limit), np.array(proto.bucket)
    size = min(len(right), len(counts))
    right, counts = right[:size], counts[:size]
    left = np.concatenate((right[:1], right[:-1]))
    if proto.min < proto.max:
        left[:1] = proto.min
        left, right = (np.clip(edges, proto.min, proto.max) for edges in (left, right))
    return regular(left, right, counts) or UnreadableMedia(_EMPTY)


def _bins(rows: Floats) -> MediaContent | None:
    if rows.shape[1] != 3:
        return None
    return regular(*rows.T) or UnreadableMedia(_EMPTY)


def _pr_curve(rows: Floats) -> MediaContent | None:
    if rows.shape[0] < _PR_ROWS:
        return None
    precision, recall = rows[_PR_ROWS - 2], rows[_PR_ROWS - 1]
    known = np.isfinite(precision) & np.isfinite(recall)
    precision, recall = np.clip(precision[known], 0, 1), np.clip(recall[known], 0, 1)
    # By rising threshold recall falls: the curve is drawn from left to right.
    order = np.argsort(recall[::-1], kind="stable")
    return PrCurve(precision[::-1][order], recall[::-1][order])


def _image(tensor: TensorProto, record: MediaRecord) -> MediaContent | None:
    """Width, height and images are the strings of one tensor."""
    if len(tensor.string_val) < 3:
        return None
    width, height, *images = tensor.string_val
    data = tuple(images[:MOST_AT_ONCE])
    size = _number(width), _number(height)
    return LoggedImage(record.path.name, *size, data, count=len(images))


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _matrix(tensor: TensorProto) -> Floats | None:
    """Return a tensor of floats with two dimensions, None for every other one.

    `tensor_util.make_ndarray` would take a second to import, and room for any shape that is stated.
    """
    dtype = _DTYPES.get(tensor.dtype)
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    if dtype is None or len(shape) != 2:
        return None
    content = tensor.tensor_content
    if content and len(content) % np.dtype(dtype).itemsize == 0:
        values = np.frombuffer(content, dtype).astype(np.float64)
    else:
        values = np.array(tensor.float_val if dtype == "<f4" else tensor.double_val, np.float64)
    return values.reshape(shape) if len(values) == shape[0] * shape[1] and min(shape) > 0 else None
