"""The encodings that logs come in, with and without a mark, cut anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.files.head import as_utf8, encoding_of
from lossmon.readers.files.lines import LineTail
from lossmon.readers.registry import detect
from tests.readers.files.test_lines import texts
from tests.readers.growing import Collected, read, read_whole

LOG = "".join(f"step {i} loss {2 / (i + 1):.3f} größe 损失 🚀\n" for i in range(30))
TABLE = "step,loss\n" + "".join(f"{i},{2 / (i + 1):.3f}\n" for i in range(30))
RECORDS = "".join(f'{{"step": {i}, "loss": {2 / (i + 1):.3f}, "ü": "ß"}}\n' for i in range(30))

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16 little with a mark": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16 big with a mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16 little": lambda text: text.encode("utf-16-le"),
    "utf-16 big": lambda text: text.encode("utf-16-be"),
    "utf-16 of Windows": lambda text: text.replace("\n", "\r\n").encode("utf-16-le"),
    "latin-1": lambda text: text.encode("latin-1", errors="replace"),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-8 with utf-16 appended": lambda text: (
        text[: text.index("7,") if "7," in text else text.index("\n") + 1].encode()
        + text[text.index("7,") if "7," in text else text.index("\n") + 1 :].encode("utf-16-le")
    ),
    "a hole before it": lambda text: b"\0" * 5000 + text.encode(),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize(("name", "text"), [("a.log", LOG), ("a.csv", TABLE), ("a.jsonl", RECORDS)])
def test_every_encoding_gives_every_point(
    tmp_path: Path, encode: Callable[[str], bytes], name: str, text: str
) -> None:
    path = tmp_path / name
    path.write_bytes(encode(text))
    found = detect(path)
    assert found is not None
    values = read_whole(found.open(path)).values("loss")
    assert values == [(i, float(f"{2 / (i + 1):.3f}")) for i in range(30)]


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_lines_come_out_the_same_for_a_cut_at_any_byte(
    tmp_path: Path, encode: Callable[[str], bytes]
) -> None:
    data = encode("loss 0.5 ü\nloss 🚀 0.25\n损失 1\n")
    path = tmp_path / "a.log"
    path.write_bytes(data)
    expected = texts(LineTail(path))
    assert len(expected) == 3
    for cut in range(1, len(data)):
        if data[cut - 1 : cut + 1] == b"\0\0" and cut % 501:
            continue  # The bytes of a hole are all alike.
        path.write_bytes(data[:cut])
        tail = LineTail(path)
        lines = texts(tail)
        with path.open("ab") as file:
            file.write(data[cut:])
        lines += texts(tail)
        assert (lines, tail.replaced) == (expected, False), cut


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=40),
    wide=st.sampled_from(["utf-16-le", "utf-16-be"]),
    cuts=st.sets(st.integers(1, 200), max_size=6),
)
def test_any_text_comes_out_the_same_for_any_cuts(
    tmp_path_factory: pytest.TempPathFactory, text: str, wide: str, cuts: set[int]
) -> None:
    data = f"Epoch 1\n{text}\n".encode(wide)
    path = tmp_path_factory.mktemp("cuts") / "a.log"
    path.write_bytes(b"")
    tail, lines = LineTail(path), []
    for cut in [*sorted(cut for cut in cuts if cut < len(data)), len(data)]:
        path.write_bytes(data[:cut])
        lines += texts(tail)
    assert lines == f"Epoch 1\n{text}".split("\n")


@pytest.mark.parametrize(
    "head",
    [b"", b"s", b"step 1\n", b"\0" * 300, b"\0step 1\n", b"\0a\n", b"\x89PNG\r\n\x1a\n\0\0\0\r",
     b"\x18\0\0\0\0\0\0\0\xa3\x7fK\"", b"SQLite format 3\0\x10\0\x01\x01\0", "é\n".encode(),
     b"\x01\0\x02\0\x03\0\x04\0\n\0"],
)  # fmt: skip
def test_what_is_not_utf16_is_left_as_it_is(head: bytes) -> None:
    assert encoding_of(head).name == "utf-8"
    assert as_utf8(head) == head


def test_a_log_of_another_encoding_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(LOG.encode("utf-16-le"))
    found = detect(path)
    assert found is not None
    reader, collected = found.open(path), Collected()
    collected.add(read(reader))
    path.write_bytes(b"step 5 loss 9.5\n")
    collected.add(read(reader))
    assert collected.values("loss") == [(5, 9.5)]
