"""Contents of what a run logged besides scalars: read from its log when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.errors import internal_error
from lossmon.readers.registry import formats
from lossmon.types import MediaContent, MediaRecord, MediaSeries, UnreadableMedia


def load_media(series: MediaSeries, records: Sequence[MediaRecord]) -> list[MediaContent]:
    """Decode records of a series; may take as long as reading them from the disk does.

    Returns:
        The contents in the order of `records`; what cannot be read says why.
    """
    load = next((one.load_media for one in formats() if one.source == series.source), None)
    if load is None:
        return [UnreadableMedia("no reader for it")] * len(records)
    try:
        return list(load(series, records))
    except BaseException as error:
        return [UnreadableMedia(internal_error(error))] * len(records)
