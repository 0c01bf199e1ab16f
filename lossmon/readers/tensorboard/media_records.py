"""Records of histograms, PR curves and images in event files: what they are and where they lie."""

from __future__ import annotations

import os
from pathlib import Path

from lossmon.readers.tensorboard.event import HISTOGRAM, IMAGE, SummaryValue
from lossmon.readers.tensorboard.tfrecord import FOOTER
from lossmon.types import MediaKind

_FIELDS = {IMAGE: MediaKind.IMAGE, HISTOGRAM: MediaKind.HISTOGRAM}

_PLUGINS = {
    b"histograms": MediaKind.HISTOGRAM,
    b"images": MediaKind.IMAGE,
    b"pr_curves": MediaKind.PR_CURVE,
}
"""By plugin; TensorFlow 2 writes all of them as tensors."""

_HEAD = 4096
"""Bytes of a long record that are read: its step and its tag are at the start."""


def kind_of(value: SummaryValue, plugin: bytes | None) -> MediaKind | None:
    """Return what a summary value is, None if it is neither histogram, PR curve nor image.

    Args:
        value: The value.
        plugin: Plugin of its tag, None where unknown.
    """
    if value.media:
        return _FIELDS[value.media]
    return None if value.tensor is None or plugin is None else _PLUGINS.get(plugin)


def read_head(path: Path, offset: int, length: int) -> bytes | None:
    """Return the first bytes of a record; None while it is not written completely.

    Args:
        path: The file.
        offset: Where the payload begins.
        length: Bytes of the payload.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size < offset + length + FOOTER:
                return None
            return os.pread(file.fileno(), min(_HEAD, length), offset)
    except OSError:
        return None
