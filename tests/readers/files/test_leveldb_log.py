"""The transaction log of W&B and SwanLab."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lossmon.errors import ReadError
from lossmon.readers.files.leveldb_log import BLOCK, LARGEST, LevelDbTail
from tests.readers.databases.transaction_logs import logged

HEADER = b":W&B\xe1\xbe\x00"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run-1.wandb"


def contents(tail: LevelDbTail) -> list[bytes]:
    return [record.content for records in iter(tail.read, None) for record in records]


def grown(path: Path, content: bytes, cut: int) -> list[bytes]:
    path.write_bytes(content[:cut])
    tail = LevelDbTail(path, HEADER[:-1])
    first = contents(tail)
    with path.open("ab") as file:
        file.write(content[cut:])
    return first + contents(tail)


def test_records_of_every_length_are_found_across_blocks(path: Path) -> None:
    records = [bytes([i % 251]) * (i * 37 % 3000) for i in range(300)] + [b"x" * 200_000, b""]
    path.write_bytes(logged(HEADER, *records))
    assert contents(LevelDbTail(path, HEADER[:-1])) == records


def test_a_log_cut_anywhere_gives_the_same_records(path: Path) -> None:
    records = [b"one", b"", b"x" * (BLOCK + 10), b"last"]
    content = logged(HEADER, *records)
    cuts = [*range(40), *range(BLOCK - 12, BLOCK + 12), *range(len(content) - 30, len(content))]
    for cut in cuts:
        assert grown(path, content, cut) == records, cut


@pytest.mark.parametrize("left", range(9))
def test_a_block_that_is_nearly_full_is_left(path: Path, left: int) -> None:
    records = [b"x" * (BLOCK - 14 - left), b"next", b"and on"]
    content = logged(HEADER, *records)
    for cut in range(BLOCK - 10, BLOCK + 14):
        assert grown(path, content, cut) == records, cut


def test_a_damaged_block_is_left_out_and_reading_goes_on_at_the_next(path: Path) -> None:
    content = bytearray(logged(HEADER, *[b"x" * 993] * 100))
    content[BLOCK + 5000] ^= 1
    path.write_bytes(content)
    tail = LevelDbTail(path, HEADER[:-1])
    found = contents(tail)
    assert 60 < len(found) < 75
    assert set(found) == {b"x" * 993}
    assert tail.drain_notes() == ("1 damaged block skipped, from byte 37,014",)


def test_damage_gives_the_same_records_however_the_log_arrives(path: Path) -> None:
    content = bytearray(logged(HEADER, *[bytes([i]) * 993 for i in range(100)]))
    content[BLOCK + 5004] ^= 0xFF
    path.write_bytes(content)
    whole = contents(LevelDbTail(path, HEADER[:-1]))
    for cut in random.Random(1).sample(range(len(content)), 60):
        assert grown(path, bytes(content), cut) == whole, cut


def test_zeros_at_the_end_are_looked_at_again(path: Path) -> None:
    content = logged(HEADER, b"one")
    path.write_bytes(content + bytes(5000))
    tail = LevelDbTail(path, HEADER[:-1])
    assert (contents(tail), tail.pending) == ([b"one"], 0)
    path.write_bytes(logged(HEADER, b"one", b"two"))
    assert contents(tail) == [b"two"]


def test_a_hole_at_the_beginning_is_looked_at_again(path: Path) -> None:
    content = logged(HEADER, b"one", b"two")
    path.write_bytes(bytes(len(content)))
    tail = LevelDbTail(path, HEADER[:-1])
    assert (contents(tail), tail.pending) == ([], 0)
    path.write_bytes(content)
    assert contents(tail) == [b"one", b"two"]


def test_another_kind_of_file_is_refused(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")
    with pytest.raises(ReadError, match="not the log that its name says"):
        LevelDbTail(path, HEADER[:-1]).read()


def test_a_record_that_never_ends_costs_bounded_memory(path: Path) -> None:
    path.write_bytes(logged(HEADER, b"x" * (LARGEST + 1), b"after"))
    assert contents(LevelDbTail(path, HEADER[:-1])) == [b"after"]


def test_a_replaced_log_is_read_from_its_start(path: Path) -> None:
    path.write_bytes(logged(HEADER, b"old", b"x" * 50)[:-9])
    tail = LevelDbTail(path, HEADER[:-1])
    contents(tail)
    path.write_bytes(logged(HEADER, b"new"))
    found = tail.read()
    assert tail.replaced
    assert found is not None
    assert [record.content for record in found] == [b"new"]
