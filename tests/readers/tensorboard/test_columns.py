"""Scalars of many records at once."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.tensorboard.columns import ColumnDecoder
from lossmon.readers.tensorboard.rows import EventRows, EventTags
from lossmon.readers.tensorboard.tfrecord import RecordTail
from tests.readers.tensorboard.event_files import recorded, scalar


def test_tags_that_share_a_record_length_are_decoded_as_columns(tmp_path: Path) -> None:
    log = tmp_path / "events.out.tfevents.1"
    tags = ["a" * (1 + i % 7) + f"/loss{i}" for i in range(20)]
    # A step of two bytes makes the record of one tag as long as that of the next with one byte.
    log.write_bytes(
        recorded(
            *(scalar(tag, step, step / 7, 1e9 + step / 3) for step in range(1, 400) for tag in tags)
        )
    )
    chunk = RecordTail(log).read()
    assert chunk is not None and len(chunk) == 399 * 20
    found = EventTags()
    left = ColumnDecoder(found).decode(chunk, EventRows(len(chunk)))
    assert len(left) < 20
    assert set(found.names) == set(tags)
