"""The bytes of a growing file, each given once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.errors import ReadError
from lossmon.readers.files.tail import FINGERPRINT, Tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def everything(tail: Tail, limit: int = 1 << 20) -> bytes:
    return b"".join(iter(lambda: tail.read(limit), b""))


def test_every_byte_is_given_once_however_the_file_grows(log: Path) -> None:
    content = b"step 1\nstep 2\n"
    for cut in range(len(content) + 1):
        log.write_bytes(content[:cut])
        tail = Tail(log)
        first = everything(tail)
        with log.open("ab") as file:
            file.write(content[cut:])
        assert first + everything(tail) == content


def test_a_call_gives_no_more_than_its_limit_and_says_what_is_left(log: Path) -> None:
    log.write_bytes(b"abcdefgh")
    tail = Tail(log)
    assert (tail.read(3), tail.pending, tail.offset) == (b"abc", 5, 3)
    assert (tail.read(9), tail.pending, tail.size) == (b"defgh", 0, 8)


def test_an_absent_file_gives_nothing_until_it_appears(log: Path) -> None:
    tail = Tail(log)
    assert tail.read() == b""
    log.write_bytes(b"now")
    assert (tail.read(), tail.replaced) == (b"now", False)


def test_a_path_below_a_file_is_absent(log: Path) -> None:
    log.write_bytes(b"")
    assert Tail(log / "below").read() == b""


def test_a_file_that_vanishes_and_returns_goes_on_where_it_was(log: Path) -> None:
    log.write_bytes(b"one")
    tail = Tail(log)
    tail.read()
    log.unlink()
    assert (tail.read(), tail.replaced, tail.pending) == (b"", False, 0)
    log.write_bytes(b"one two")
    assert (tail.read(), tail.replaced) == (b" two", False)


def test_a_file_that_returns_with_other_content_begins_anew(log: Path) -> None:
    log.write_bytes(b"one")
    tail = Tail(log)
    tail.read()
    log.unlink()
    tail.read()
    log.write_bytes(b"two three")
    assert (tail.read(), tail.replaced) == (b"two three", True)


def test_a_truncated_file_begins_anew(log: Path) -> None:
    log.write_bytes(b"a long first run")
    tail = Tail(log)
    tail.read()
    log.write_bytes(b"")
    assert (tail.read(), tail.replaced, tail.offset) == (b"", True, 0)
    log.write_bytes(b"second")
    assert (tail.read(), tail.replaced) == (b"second", False)


def test_a_rotated_file_is_read_from_its_start(log: Path) -> None:
    log.write_bytes(b"the first file")
    tail = Tail(log)
    tail.read()
    log.rename(log.with_suffix(".1"))
    log.write_bytes(b"the second file, longer")
    assert (tail.read(), tail.replaced) == (b"the second file, longer", True)


def test_bytes_given_back_are_taken_again_as_they_are_then(log: Path) -> None:
    log.write_bytes(b"step 1\0\0\0")
    tail = Tail(log)
    tail.read()
    tail.unread(3)
    log.write_bytes(b"step 1, step 2")
    assert (tail.read(), tail.replaced) == (b", step 2", False)


def test_a_longer_copy_of_the_file_under_a_new_inode_goes_on(log: Path) -> None:
    log.write_bytes(b"synchronised")
    tail = Tail(log)
    tail.read()
    copy = log.with_suffix(".part")
    copy.write_bytes(b"synchronised again")
    copy.replace(log)
    assert (tail.read(), tail.replaced) == (b" again", False)


def test_a_head_rewritten_in_place_while_the_file_grew_begins_anew(log: Path) -> None:
    log.write_bytes(b"step,loss\n1,0.5\n")
    tail = Tail(log)
    tail.read()
    with log.open("r+b") as file:
        file.write(b"step,loss,eval_loss\n1,0.5,\n2,0.4,0.6\n")
    assert (tail.read()[:19], tail.replaced) == (b"step,loss,eval_loss", True)


def test_a_change_behind_an_unchanged_head_is_noticed_at_the_offset(log: Path) -> None:
    head = b"h" * 2 * FINGERPRINT
    log.write_bytes(head + b"1" * FINGERPRINT)
    tail = Tail(log)
    everything(tail, limit=100)
    log.write_bytes(head + b"2" * 2 * FINGERPRINT)
    tail.read()
    assert tail.replaced


def test_a_rewrite_of_the_same_length_begins_anew(log: Path) -> None:
    log.write_bytes(b"aaa")
    tail = Tail(log)
    tail.read()
    log.write_bytes(b"bbb")
    assert (tail.read(), tail.replaced) == (b"bbb", True)


def test_a_file_quiet_for_long_is_not_opened_again(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(b"old")
    os.utime(log, (0, 0))
    tail = Tail(log)
    tail.read()
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    assert tail.read() == b""


def test_no_file_stays_open_between_calls(log: Path) -> None:
    log.write_bytes(b"x" * 10)
    before = len(os.listdir("/proc/self/fd"))
    tails = [Tail(log) for _ in range(5)]
    for tail in tails:
        tail.read(3)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_pipe_is_refused_without_being_opened(log: Path) -> None:
    os.mkfifo(log)
    with pytest.raises(ReadError, match="not a regular file"):
        Tail(log).read()


@pytest.mark.parametrize("path", ["/", "/dev/zero"])
def test_directories_and_devices_are_refused(path: str) -> None:
    with pytest.raises(ReadError, match="not a regular file"):
        Tail(Path(path)).read()


def test_a_file_that_may_not_be_read_says_so(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    log.write_bytes(b"secret")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ReadError, match=r"log: Permission denied"):
        Tail(log).read()


def test_room_that_was_reserved_at_the_end_is_waited_for(log: Path) -> None:
    tail = Tail(log)
    content = b"".join(b"step %d\n" % step for step in range(400))
    for written in (0, 700, 2000, len(content)):
        log.write_bytes(content[:written] + bytes(9000 - written))
        everything(tail)
        assert (tail.offset, tail.size, tail.pending) == (written, written, 0)
        assert not tail.replaced
    os.truncate(log, len(content))
    assert everything(tail) == b"" and not tail.replaced


def test_a_hole_that_is_filled_later_is_read(log: Path) -> None:
    log.write_bytes(b"step 1\n" + bytes(2048) + b"step 999\n" * 500)
    tail = Tail(log)
    everything(tail)
    log.write_bytes(b"step 1\n" + b"step 2\n\n" * 256 + b"step 999\n" * 500)
    assert everything(tail).startswith(b"step 1\nstep 2\n")
    assert tail.offset == log.stat().st_size


def test_each_of_several_holes_is_read_once_it_is_filled(log: Path) -> None:
    content = b"".join(b"step %d\n" % step for step in range(3000))
    holes, now = ((4096, 8192), (12288, 16384)), bytearray(content)
    for start, end in holes:
        now[start:end] = bytes(end - start)
    log.write_bytes(now)
    tail = Tail(log)
    everything(tail)
    for start, end in holes:
        now[start:end] = content[start:end]
        log.write_bytes(now)
        assert everything(tail) == now
