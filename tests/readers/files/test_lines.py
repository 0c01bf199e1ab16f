"""The lines of a growing text file."""

from __future__ import annotations

import math
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.files.lines import BLOCK, LONGEST, Chunk, LineTail, TextLine, line_count
from lossmon.readers.files.tail import MOST_PIECES, read_until


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def new_lines(tail: LineTail) -> list[TextLine]:
    """The lines that ended since the last call."""
    return [line for chunk in read_until(tail, math.inf) for line in chunk.lines()]


def texts(tail: LineTail) -> list[str]:
    return [line.text for line in new_lines(tail)]


def grown(log: Path, *parts: bytes) -> list[TextLine]:
    """The lines of a file that is read whenever a part was appended."""
    log.unlink(missing_ok=True)
    tail, lines = LineTail(log), list[TextLine]()
    for part in parts:
        with log.open("ab") as file:
            file.write(part)
        lines += new_lines(tail)
    return lines


SAMPLES = {
    "newlines": b"a\n\nbb\nccc\n",
    "windows": b"a\r\n\r\nbb\r\n",
    "progress": b"\r  1%|\r  2%|\r{'loss': 1}\n\r  3%|",
    "old mac": b"a\rb\rc\r",
    "utf-8": "größe ≤ 3\n损失 0.5\n".encode(),
    "utf-8 with a mark": b"\xef\xbb\xbf" + "é\nb\n".encode(),
    "utf-16-le": b"\xff\xfe" + "a\r\né🙂ਊ\r\nlast\n".encode("utf-16-le"),
    "utf-16-be": b"\xfe\xff" + "a\r\né🙂ਊ\r\nlast\n".encode("utf-16-be"),
    "latin-1": b"temp\xe9rature\nb\n",
    "damaged": b"\xc3\xa9\xff\nb\n",
    "nuls": b"\0\0a\0b\nc\n",
    "unfinished": b"a\nb",
}


@pytest.mark.parametrize("content", SAMPLES.values(), ids=SAMPLES)
def test_every_cut_of_the_bytes_gives_the_same_lines(log: Path, content: bytes) -> None:
    whole = [line.text for line in grown(log, content)]
    for cut in range(len(content) + 1):
        assert [line.text for line in grown(log, content[:cut], content[cut:])] == whole, cut


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\0", b"\xff", b"\xfe", b"\xc3", b"\xa9"])),
    st.data(),
)
def test_any_bytes_give_the_same_lines_however_they_arrive(
    tmp_path_factory: pytest.TempPathFactory, symbols: list[bytes], data: st.DataObject
) -> None:
    log, content = tmp_path_factory.getbasetemp() / "any", b"".join(symbols)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4)))
    parts = [content[i:j] for i, j in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert [line.text for line in grown(log, *parts)] == [line.text for line in grown(log, content)]


@pytest.mark.parametrize(
    "content, expected",
    [
        pytest.param(SAMPLES["newlines"], ["a", "", "bb", "ccc"], id="newlines"),
        pytest.param(SAMPLES["windows"], ["a", "", "bb"], id="windows"),
        pytest.param(SAMPLES["progress"], ["  1%|", "  2%|", "{'loss': 1}"], id="progress bar"),
        pytest.param(SAMPLES["old mac"], ["a", "b"], id="old mac"),
        pytest.param(SAMPLES["utf-8"], ["größe ≤ 3", "损失 0.5"], id="utf-8"),
        pytest.param(SAMPLES["utf-8 with a mark"], ["é", "b"], id="utf-8 with a mark"),
        pytest.param(SAMPLES["utf-16-le"], ["a", "é🙂ਊ", "last"], id="utf-16 little endian"),
        pytest.param(SAMPLES["utf-16-be"], ["a", "é🙂ਊ", "last"], id="utf-16 big endian"),
        pytest.param(SAMPLES["latin-1"], ["température", "b"], id="latin-1"),
        pytest.param(SAMPLES["damaged"], ["é\N{REPLACEMENT CHARACTER}", "b"], id="damaged"),
        pytest.param(b"a\x85b\xe9\n", ["a\N{REPLACEMENT CHARACTER}bé"], id="latin-1 control"),
        pytest.param(SAMPLES["nuls"], ["ab", "c"], id="nuls"),
        pytest.param(SAMPLES["unfinished"], ["a"], id="unfinished"),
    ],
)
def test_lines_come_decoded_and_without_their_ends(
    log: Path, content: bytes, expected: list[str]
) -> None:
    assert [line.text for line in grown(log, content)] == expected


@pytest.mark.parametrize(
    "name", ["newlines", "windows", "progress", "utf-8", "utf-8 with a mark", "latin-1"]
)
def test_a_line_knows_where_it_begins(log: Path, name: str) -> None:
    for line in grown(log, SAMPLES[name]):
        place = SAMPLES[name][line.offset :]
        encoding = "latin-1" if name == "latin-1" else "utf-8"
        assert place.decode(encoding).startswith(line.text)


def test_a_line_of_a_utf_16_file_knows_where_it_begins(log: Path) -> None:
    content = SAMPLES["utf-16-le"]
    for line in grown(log, content):
        assert content[line.offset :].startswith(line.text.encode("utf-16-le"))


def test_a_state_that_a_progress_bar_painted_over_is_marked(log: Path) -> None:
    lines = grown(log, b"\r1%\r2%\rdone\nnext\r\n\r3%")
    assert [(line.text, line.redrawn) for line in lines] == [
        ("1%", True),
        ("2%", True),
        ("done", False),
        ("next", False),
    ]


def test_what_follows_the_last_line_end_can_be_asked_for(log: Path) -> None:
    log.write_bytes(b"first\n\r 50%|#")
    tail = LineTail(log)
    assert texts(tail) == ["first"]
    assert tail.unfinished == TextLine(" 50%|#", 7)


@pytest.mark.parametrize("content", [b"", b"a\n", b"\xef\xbb\xbf", b"a\n\r", b"a\n\0\0"])
def test_there_is_no_rest_where_nothing_follows(log: Path, content: bytes) -> None:
    log.write_bytes(content)
    tail = LineTail(log)
    texts(tail)
    assert tail.unfinished is None


def test_a_line_that_is_too_long_is_cut_with_a_note_and_the_next_is_whole(log: Path) -> None:
    log.write_bytes(b"a\n" + b"x" * (10 << 20) + b"\nb\nc\n")
    tail = LineTail(log)
    lines = new_lines(tail)
    assert [(len(line.text), line.offset) for line in lines] == [
        (1, 0),
        (LONGEST, 2),
        (1, (10 << 20) + 3),
        (1, (10 << 20) + 5),
    ]
    assert tail.drain_notes() == ("line at byte 2 is longer than 1,048,576 bytes: cut",)
    assert tail.drain_notes() == ()


def test_a_line_that_is_too_long_is_not_cut_inside_a_character(log: Path) -> None:
    content = ("é" * LONGEST).encode()
    assert {line.text[-1] for line in grown(log, b"x" + content + b"\n")} == {"é"}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\rz\n"])
def test_a_line_that_is_too_long_is_cut_alike_wherever_the_bytes_end(log: Path, end: bytes) -> None:
    content = b"x" * (LONGEST + 5) + end + b"next\n"
    whole = [line.text for line in grown(log, content)]
    assert whole[-1] == "next"
    for cut in range(LONGEST - 2, len(content)):
        if cut % 3 == 0 or cut > LONGEST + 3:
            assert [line.text for line in grown(log, content[:cut], content[cut:])] == whole, cut


def test_a_file_without_line_ends_costs_bounded_memory(log: Path) -> None:
    with log.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    tail = LineTail(log)
    tracemalloc.start()
    assert len(new_lines(tail)) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * LONGEST


def test_a_hole_that_nobody_wrote_costs_nothing(log: Path) -> None:
    log.write_bytes(b"a\n")
    tail = LineTail(log)
    assert texts(tail) == ["a"]
    os.truncate(log, 1 << 40)
    assert texts(tail) == []
    with log.open("ab") as file:
        file.write(b"b\n")
    assert texts(tail) == ["b"]
    assert tail.offset == tail.size == (1 << 40) + 2


def test_a_hole_of_nuls_longer_than_a_line_may_be_is_stepped_over(log: Path) -> None:
    with log.open("wb") as file:
        file.truncate(3 * LONGEST)
        file.seek(0, 2)
        file.write(b"after\n")
    assert texts(LineTail(log)) == ["after"]


def test_a_replaced_file_gives_its_lines_again_from_the_first(log: Path) -> None:
    log.write_bytes(b"\xff\xfeo\0l\0d\0\n\0x\0")
    tail = LineTail(log)
    assert (texts(tail), tail.replaced) == (["old"], False)
    log.write_bytes(b"new\nlines\n")
    chunk = tail.read()
    assert chunk is not None
    assert ([line.text for line in chunk.lines()], tail.replaced) == (["new", "lines"], True)
    assert (texts(tail), tail.replaced) == ([], False)


def test_an_emptied_file_says_that_it_was_replaced(log: Path) -> None:
    log.write_bytes(b"old\nx")
    tail = LineTail(log)
    texts(tail)
    log.write_bytes(b"")
    assert (tail.read(), tail.replaced, tail.unfinished) == (Chunk(b"", 0), True, None)


def test_a_file_replaced_between_two_chunks_starts_over_with_the_second(log: Path) -> None:
    log.write_bytes(b"old line\n" * BLOCK)
    tail = LineTail(log)
    chunk = tail.read()
    assert chunk is not None
    assert ({line.text for line in chunk.lines()}, tail.replaced) == ({"old line"}, False)
    log.write_bytes(b"new line\n")
    assert (tail.read(), tail.replaced, tail.pending) == (Chunk(b"new line\n", 0), True, 0)


def test_a_deadline_that_has_passed_still_gives_one_block(log: Path) -> None:
    log.write_bytes(b"0123456\n" * BLOCK)
    tail = LineTail(log)
    (chunk,) = read_until(tail, deadline=0.0)
    assert len(list(chunk.lines())) == BLOCK / 8
    assert tail.pending == 7 * BLOCK


def test_chunks_are_whole_lines_as_they_stand(log: Path) -> None:
    log.write_bytes(b"a\r\nb\nc")
    tail = LineTail(log)
    assert tail.read() == Chunk(b"a\r\nb\n", 0)
    assert tail.read() is None


def test_with_a_deadline_a_large_file_is_read_in_several_calls(log: Path) -> None:
    log.write_bytes(b"a\n" * ((MOST_PIECES + 1) * BLOCK // 2))
    tail = LineTail(log)
    first, rest = (sum(map(len, read_until(tail, 1e12))) for _ in range(2))
    assert (first, rest) == (MOST_PIECES * BLOCK, BLOCK)


@given(st.text(alphabet="a\r\n"))
def test_lines_are_counted_as_they_are_split(text: str) -> None:
    content = text.encode() + b"\n"
    assert line_count(content) == len(content.splitlines())
