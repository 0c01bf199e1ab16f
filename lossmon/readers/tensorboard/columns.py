"""Decoder for the scalars of many records at once.

A training writes the same few records over and over: those of one tag differ only in the bytes of
the wall time, the step and the value. Decoding one record tells where these three are; all records
of its length whose other bytes agree with it are then decoded as columns, and so are their
checksums. That is about 90 times as fast as TensorBoard's own loader (`python -m benchmarks
ingest_events`), which is why these bytes are decoded here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.tensorboard.event import Event, decode_event
from lossmon.readers.tensorboard.rows import EventRows, EventTags
from lossmon.readers.tensorboard.tfrecord import (
    FOOTER,
    REACH,
    RecordChunk,
    crc32c,
    masked,
    position_tables,
    unmasked,
)

FEW = 16
"""Records of one length below which decoding each alone is faster than columns."""

_LAYOUTS = 6
"""Layouts learned for one length. Tags of different lengths share a length if their steps have
different numbers of digits, which makes three or four."""

_MOST_MISFITS = 24
"""Records that may turn out not to have a layout before the others are left alone: under the wrong
layout, no two records look alike."""

_MULTIPLIER = 0x9E3779B97F4A7C15
"""Odd, with bits all over: the golden ratio of 2**64."""

AnyArray = NDArray[Any]


class ScalarLayout(NamedTuple):
    """Offsets of what changes from record to record.

    Attributes:
        length: Bytes of the record.
        wall_at: Offset of its wall time.
        step_at: Offset of its step.
        step_bytes: Bytes of the step, 0 if it is absent.
        value_at: Offset of its value.
        dtype: NumPy's name of the value's encoding.
    """

    length: int
    wall_at: int
    step_at: int
    step_bytes: int
    value_at: int
    dtype: str

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Return the start and the length of each range of bytes that changes."""
        width = np.dtype(self.dtype).itemsize
        return (self.wall_at, 8), (self.step_at, self.step_bytes), (self.value_at, width)


def layout_of(record: bytes, found: Event) -> ScalarLayout | None:
    """Return the layout of a record, None unless it holds exactly one scalar of a fixed width."""
    if len(found.values) != 1 or found.session is not None or found.wall_at is None:
        return None
    scalar = found.values[0].scalar(record)
    step_at, step_stop = found.step_at or (0, 0)
    if scalar is None or scalar.at < 0 or step_stop - step_at > 8:
        return None
    return ScalarLayout(
        len(record), found.wall_at, step_at, step_stop - step_at, scalar.at, scalar.dtype
    )


class _Buffer:
    """The bytes of a chunk, and the records in them."""

    def __init__(self, records: RecordChunk) -> None:
        self.records = records

    def table(self, starts: AnyArray, length: int) -> AnyArray:
        """Records of one length and their checksums: one row of bytes each, in whole words."""
        width = (length + FOOTER + 7) // 8 * 8
        count = len(self.records.data) - width + 1
        anywhere: AnyArray = np.ndarray((count,), f"V{width}", self.records.data, 0, (1,))
        # A row is copied at once: loading it word by word takes seven times as long.
        return anywhere[starts].view(np.uint8).reshape(len(starts), width)

    def record(self, row: int) -> bytes:
        start = int(self.records.starts[row])
        return self.records.data[start : start + int(self.records.lengths[row])]


def _field(table: AnyArray, at: int, dtype: str) -> AnyArray:
    """A number of each row."""
    return np.ndarray(table.shape[:1], dtype, table, at, table.strides[:1])


class _Family:
    """The records of one layout: their tags, and how they are decoded."""

    def __init__(self, layout: ScalarLayout) -> None:
        self.layout = layout
        masks = np.zeros((layout.length + FOOTER + 7) // 8 * 8, np.uint8)
        masks[: layout.length] = 0xFF
        for at, width in layout.ranges():
            masks[at : at + width] = 0
        # The bit that says whether a step goes on belongs to the layout.
        masks[layout.step_at : layout.step_at + layout.step_bytes] = 0x80
        self._words = masks.view("<u8")[:, None]
        places = np.arange(1, 2 * len(self._words), 2, dtype=np.uint64)
        self._multipliers = places[:, None] * np.uint64(_MULTIPLIER)
        self._known: dict[int, tuple[int, int]] = {}
        self._sorted: tuple[AnyArray, AnyArray, AnyArray] | None = None

    def keys(self, table: AnyArray) -> AnyArray:
        """A number for each record; equal for records that differ only in what changes."""
        words = table.view("<u8").T & self._words
        words ^= words >> np.uint64(29)
        words *= self._multipliers
        keys: AnyArray = np.add.reduce(words, axis=0)
        return keys

    def learn(self, key: int, tag: int, record: bytes) -> None:
        """Remember the tag of a key, and the checksum of the bytes that do not change."""
        crc, tables = crc32c(record), position_tables()
        for at, width in self.layout.ranges():
            for i in range(at, at + width):
                crc ^= int(tables[self.layout.length - 1 - i, record[i]])
        self._known[key] = (tag, crc)
        self._sorted = None

    def look_up(self, keys: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
        """For each key: whether it is known, its tag, and the constant part of the checksum."""
        if self._sorted is None:
            known = np.array(sorted(self._known), np.uint64)
            pairs = [self._known[key] for key in known.tolist()]
            self._sorted = (
                known,
                np.array([tag for tag, _ in pairs], np.int16),
                np.array([crc for _, crc in pairs], np.uint32),
            )
        known, tags, crcs = self._sorted
        if not len(known):
            none = np.zeros(len(keys), np.intp)
            return none.astype(bool), none, none
        at = np.searchsorted(known, keys)
        at[at == len(known)] = 0
        return known[at] == keys, tags[at], crcs[at]

    def columns(self, table: AnyArray, crcs: AnyArray) -> tuple[AnyArray, ...]:
        """Wall times, steps and values of records, and whether each is undamaged."""
        layout, tables = self.layout, position_tables()
        steps = np.zeros(len(table), np.int64)
        for i in range(layout.step_bytes):
            steps |= (table[:, layout.step_at + i] & np.uint8(0x7F)).astype(np.int64) << (7 * i)
        for at, width in layout.ranges():
            for i in range(at, at + width):
                crcs ^= tables[layout.length - 1 - i].take(table[:, i])
        good = crcs == unmasked(_field(table, layout.length, "<u4"))
        with np.errstate(invalid="ignore"):
            # A signalling NaN is a NaN like any other.
            values = _field(table, layout.value_at, layout.dtype).astype(np.float64)
        return _field(table, layout.wall_at, "<f8"), steps, values, good


class ColumnDecoder:
    """Decodes the scalars of a file as columns; remembers their layouts."""

    def __init__(self, tags: EventTags) -> None:
        self._tags = tags
        self._families: dict[int, dict[ScalarLayout, _Family]] = {}

    def decode(self, records: RecordChunk, rows: EventRows) -> list[int]:
        """Fill in the rows of plain scalars; return the indices of the others, ascending."""
        lengths = np.minimum(records.lengths, REACH + 1).astype(np.uint16)
        by_length = np.argsort(lengths, kind="stable")
        edges = np.flatnonzero(np.diff(lengths[by_length])) + 1
        buffer, left = _Buffer(records), list[int]()
        for group in np.split(by_length, edges):
            if len(group) >= FEW and lengths[group[0]] <= REACH:
                group = self._decode_group(buffer, group, rows)
            left += group.tolist()
        return sorted(left)

    def _decode_group(self, buffer: _Buffer, group: AnyArray, rows: EventRows) -> AnyArray:
        """Fill in the rows of records of one length; return the indices of the others."""
        family = self._families.setdefault(int(buffer.records.lengths[group[0]]), {})
        for layout in reversed(list(family)):
            left = self._decode_family(buffer, family[layout], group, rows)
            if len(left) < len(group):
                # The layout that matched last is tried first.
                family[layout] = family.pop(layout)
            group = left
        while len(group) >= FEW and len(family) < _LAYOUTS:
            layouts = (self._inspect(buffer.record(row))[0] for row in group[:4].tolist())
            fresh = next((one for one in layouts if one is not None and one not in family), None)
            if fresh is None:
                break
            family[fresh] = _Family(fresh)
            group = self._decode_family(buffer, family[fresh], group, rows)
        return group

    def _decode_family(
        self, buffer: _Buffer, family: _Family, group: AnyArray, rows: EventRows
    ) -> AnyArray:
        if not len(group):
            return group
        table = buffer.table(buffer.records.starts[group], family.layout.length)
        keys = family.keys(table)
        known, tags, crcs = family.look_up(keys)
        if not known.all() and self._learn(buffer, family, group[~known], keys[~known]):
            known, tags, crcs = family.look_up(keys)
        if not known.any():
            return group
        wall_times, steps, values, good = family.columns(table, crcs)
        good &= known
        if good.all():
            rows.tags[group], rows.steps[group] = tags, steps
            rows.wall_times[group], rows.values[group] = wall_times, values
            return group[:0]
        taken = group[good]
        rows.tags[taken], rows.steps[taken] = tags[good], steps[good]
        rows.wall_times[taken], rows.values[taken] = wall_times[good], values[good]
        return group[~good]

    def _learn(self, buffer: _Buffer, family: _Family, group: AnyArray, keys: AnyArray) -> bool:
        """Learn the tags of records not seen before; return whether there were any."""
        learned, misfits = False, 0
        unmet, first = np.unique(keys, return_index=True)
        # A layout is taken from the first records, so that its tags are among them: records of
        # another layout, each with a key of its own, must not use up the misfits before.
        order = np.argsort(first)
        for key, row in zip(unmet[order].tolist(), group[first[order]].tolist(), strict=True):
            record = buffer.record(row)
            layout, found = self._inspect(record, buffer, row)
            tag = None
            if layout == family.layout and found is not None:
                tag = self._tags.number(found.values[0])
            if tag is not None:
                family.learn(key, tag, record)
                learned = True
            elif (misfits := misfits + 1) == _MOST_MISFITS:
                break
        return learned

    def _inspect(
        self, record: bytes, buffer: _Buffer | None = None, row: int = 0
    ) -> tuple[ScalarLayout | None, Event | None]:
        """Decode an undamaged record."""
        if buffer is not None:
            start = int(buffer.records.starts[row]) + len(record)
            stored = int.from_bytes(buffer.records.data[start : start + 4], "little")
            if masked(crc32c(record)) != stored:
                return None, None
        try:
            found = decode_event(record)
            return layout_of(record, found), found
        except MalformedError:
            return None, None
