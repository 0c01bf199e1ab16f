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
    """The bytes of a chunk, loaded as numbers from any offset."""

    def __init__(self, records: RecordChunk) -> None:
        self.records = records
        self._views: dict[str, AnyArray] = {}

    def load(self, places: AnyArray, dtype: str) -> AnyArray:
        view = self._views.get(dtype)
        if view is None:
            width = np.dtype(dtype).itemsize
            count = len(self.records.data) - width + 1
            view = np.ndarray((count,), dtype, self.records.data, 0, (1,))
            self._views[dtype] = view
        loaded: AnyArray = view[places]
        return loaded

    def record(self, row: int) -> bytes:
        start = int(self.records.starts[row])
        return self.records.data[start : start + int(self.records.lengths[row])]


class _Family:
    """The records of one layout: their tags, and how they are decoded."""

    def __init__(self, layout: ScalarLayout) -> None:
        self.layout = layout
        masks = np.zeros((layout.length + 7) // 8 * 8, np.uint8)
        masks[: layout.length] = 0xFF
        for at, width in layout.ranges():
            masks[at : at + width] = 0
        # The bit that says whether a step goes on belongs to the layout.
        masks[layout.step_at : layout.step_at + layout.step_bytes] = 0x80
        self._words = [
            (8 * i, word, np.uint64((_MULTIPLIER * (2 * i + 1)) % (1 << 64)))
            for i, word in enumerate(masks.view("<u8"))
            if word
        ]
        self._known: dict[int, tuple[int, int]] = {}
        self._sorted: tuple[AnyArray, AnyArray, AnyArray] | None = None

    def keys(self, buffer: _Buffer, starts: AnyArray) -> AnyArray:
        """A number for each record; equal for records that differ only in what changes."""
        keys = np.zeros(len(starts), np.uint64)
        for at, word, multiplier in self._words:
            part = buffer.load(starts + at, "<u8") & word
            keys += (part ^ (part >> np.uint64(29))) * multiplier
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

    def columns(self, buffer: _Buffer, starts: AnyArray, crcs: AnyArray) -> tuple[AnyArray, ...]:
        """Wall times, steps and values of records, and whether each is undamaged."""
        layout = self.layout
        wall_times = buffer.load(starts + layout.wall_at, "<f8")
        packed = buffer.load(starts + layout.step_at, "<u8")
        values = buffer.load(starts + layout.value_at, layout.dtype)
        steps = np.zeros(len(starts), np.int64)
        for i in range(layout.step_bytes):
            seven = packed >> np.uint64(8 * i) & np.uint64(0x7F)
            steps |= seven.astype(np.int64) << (7 * i)
        for column, (at, width) in zip((wall_times, packed, values), layout.ranges(), strict=True):
            crcs = self._add_checksum(crcs, column, at, width)
        good = crcs == unmasked(buffer.load(starts + layout.length, "<u4"))
        with np.errstate(invalid="ignore"):
            # A signalling NaN is a NaN like any other.
            return wall_times, steps, values.astype(np.float64), good

    def _add_checksum(self, crcs: AnyArray, column: AnyArray, at: int, width: int) -> AnyArray:
        tables, behind = position_tables(), self.layout.length - 1 - at
        bytes_of = column.view(np.uint8).reshape(len(column), -1)
        for i in range(width):
            crcs = crcs ^ tables[behind - i][bytes_of[:, i]]
        return crcs


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
        starts = buffer.records.starts[group]
        keys = family.keys(buffer, starts)
        known, tags, crcs = family.look_up(keys)
        if not known.all() and self._learn(buffer, family, group[~known], keys[~known]):
            known, tags, crcs = family.look_up(keys)
        if not known.any():
            return group
        wall_times, steps, values, good = family.columns(buffer, starts, crcs)
        good &= known
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
