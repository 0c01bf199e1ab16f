"""TensorBoard's record framing."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import pytest
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from lossmon.errors import ReadError
from lossmon.readers.tensorboard.tfrecord import (
    LARGEST,
    WINDOW,
    RecordTail,
    crc32c,
    is_header,
    masked,
)
from tests.readers.tensorboard.event_files import framed


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.out.tfevents.1"


def payloads(tail: RecordTail) -> list[bytes]:
    found: list[bytes] = []
    while (records := tail.read()) is not None:
        for start, length in zip(records.starts.tolist(), records.lengths.tolist(), strict=True):
            found.append(records.data[start : start + length])
    return found


@pytest.mark.parametrize("length", [*range(12), 255, 256, 257, 511, 512, 513, 1024, 5000])
def test_checksums_are_those_of_tensorboard(length: int) -> None:
    content = os.urandom(length)
    assert masked(crc32c(content)) == masked_crc32c(content)


def test_records_are_given_once_complete_wherever_the_bytes_are_cut(log: Path) -> None:
    records = [b"", b"one", b"three", b"x" * 40]
    content = b"".join(map(framed, records))
    for cut in range(len(content) + 1):
        log.write_bytes(content[:cut])
        tail = RecordTail(log)
        first = payloads(tail)
        with log.open("ab") as file:
            file.write(content[cut:])
        assert first + payloads(tail) == records, cut


@pytest.mark.parametrize("cycle", [(5,), (5, 9), (5, 9, 5, 7), tuple(range(WINDOW + 5))])
def test_records_whose_lengths_repeat_are_all_found(log: Path, cycle: tuple[int, ...]) -> None:
    lengths = [*cycle * 300, 77, *cycle * 300]
    records = [os.urandom(length) for length in lengths]
    log.write_bytes(b"".join(map(framed, records)) + b"half")
    assert payloads(RecordTail(log)) == records


def test_records_of_arbitrary_lengths_are_all_found(log: Path) -> None:
    records = [b"x" * (i * 7919 % 311) for i in range(3000)]
    log.write_bytes(b"".join(map(framed, records)))
    assert payloads(RecordTail(log)) == records


def test_a_corrupt_header_ends_the_file_after_the_records_before_it(log: Path) -> None:
    log.write_bytes(framed(b"good") + b"\x01" * 20)
    tail = RecordTail(log)
    records = tail.read()
    assert records is not None
    assert len(records.starts) == 1
    with pytest.raises(ReadError, match="record header at byte 20 is corrupt"):
        tail.read()


def test_a_corrupt_header_among_repeating_records_is_noticed(log: Path) -> None:
    content = bytearray(framed(b"same") * 1000)
    content[20 * 700] ^= 1
    log.write_bytes(content)
    tail = RecordTail(log)
    records = tail.read()
    assert records is not None
    assert len(records.starts) == 700
    with pytest.raises(ReadError, match="byte 14,000"):
        tail.read()


def test_a_length_that_no_writer_can_produce_is_corrupt(log: Path) -> None:
    head = struct.pack("<Q", 1 << 40)
    log.write_bytes(head + struct.pack("<I", masked_crc32c(head)))
    tail = RecordTail(log)
    tail.read()
    with pytest.raises(ReadError):
        tail.read()


def test_zeros_where_a_record_should_begin_are_looked_at_again(log: Path) -> None:
    log.write_bytes(framed(b"one") + bytes(4096))
    tail = RecordTail(log)
    assert payloads(tail) == [b"one"]
    assert (payloads(tail), tail.pending) == ([], 0)
    with log.open("r+b") as file:
        file.seek(len(framed(b"one")))
        file.write(framed(b"two") + framed(b"three"))
    assert payloads(tail) == [b"two", b"three"]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_hole_that_begins_within_a_header_is_looked_at_again(log: Path, cut: int) -> None:
    content = framed(b"one") + framed(b"two") + framed(b"three" * 1000)
    begin = len(framed(b"one")) + cut
    log.write_bytes(content[:begin] + bytes(200) + content[begin + 200 :])
    tail = RecordTail(log)
    assert payloads(tail) == [b"one"]
    log.write_bytes(content)
    assert payloads(tail)[-2:] == [b"two", b"three" * 1000]


@pytest.mark.parametrize("excess", [1, 5_000_000])
def test_an_overlong_record_is_passed_over_in_bounded_memory(log: Path, excess: int) -> None:
    log.write_bytes(framed(b"before") + framed(b"x" * (LARGEST + excess)) + framed(b"after"))
    tail = RecordTail(log)
    tracemalloc.start()
    assert payloads(tail) == [b"before", b"after"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * LARGEST


def test_an_overlong_record_is_passed_over_wherever_the_bytes_are_cut(log: Path) -> None:
    content = framed(b"before") + framed(b"x" * (LARGEST + 1)) + framed(b"after")
    for cut in (0, 25, 34, 35, 1000, LARGEST, len(content) - 25, len(content) - 3):
        log.write_bytes(content[:cut])
        tail = RecordTail(log)
        first = payloads(tail)
        with log.open("ab") as file:
            file.write(content[cut:])
        assert first + payloads(tail) == [b"before", b"after"], cut


def test_a_replaced_file_is_read_from_its_start(log: Path) -> None:
    log.write_bytes(framed(b"old") + b"\xff" * 40)
    tail = RecordTail(log)
    tail.read()
    log.write_bytes(framed(b"new file"))
    records = tail.read()
    assert records is not None
    assert (tail.replaced, records.offset, len(records.starts)) == (True, 0, 1)


@pytest.mark.parametrize(
    "head, expected",
    [
        pytest.param(b"", True, id="empty so far"),
        pytest.param(framed(b"x")[:5], True, id="too short to tell"),
        pytest.param(bytes(4096), True, id="preallocated"),
        pytest.param(framed(b"x"), True, id="a record"),
        pytest.param(b"\x1f\x8b" + bytes(30), False, id="compressed"),
        pytest.param(b"step,loss\n1,0.5\n", False, id="text"),
    ],
)
def test_a_record_file_is_known_by_its_first_header(head: bytes, expected: bool) -> None:
    assert is_header(head) is expected
