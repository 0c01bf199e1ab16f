"""The line on the terminal while a command reads."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.reports.check import ReadingProgress, progress_text
from lossmon.types import RunSnapshot, Snapshot


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def runs(count: int, loaded: float = 1.0) -> tuple[RunSnapshot, ...]:
    return tuple(RunSnapshot(str(i), Path(f"/r/{i}"), loaded=loaded) for i in range(count))


@pytest.mark.parametrize(
    ("snapshot", "language", "text"),
    [
        (Snapshot(seen_files=1204, busy=True), "en", "searching: 1,204 files so far"),
        (Snapshot(runs=runs(3), busy=True), "en", "reading 3"),
        (Snapshot(runs=runs(1, 0.372), busy=True, read=(0, 1)), "en", "reading 37%"),
        (Snapshot(runs=runs(102), busy=True, read=(43, 102)), "en", "reading 43/102"),
        (Snapshot(runs=runs(102), busy=True, read=(43, 102)), "zh", "读取中 43/102"),
    ],
)
def test_it_says_how_much_is_read(snapshot: Snapshot, language: str, text: str) -> None:
    assert progress_text(snapshot, language) == text


def read(out: io.StringIO, seconds: float) -> Snapshot:
    """Two polls, each after some seconds."""
    now = [0.0]

    def polls() -> Iterator[Snapshot]:
        for done in (1, 2):
            now[0] += seconds
            yield Snapshot(runs=runs(2), read=(done, 2))

    return ReadingProgress(out, "en", lambda: now[0]).last(polls())


def test_a_long_reading_is_shown_in_one_line_that_is_gone_in_the_end() -> None:
    out = Terminal()
    assert read(out, 2.0).read == (2, 2)
    *lines, blank, rest = out.getvalue().split("\r")
    assert [line.rstrip() for line in lines] == ["", "reading 1/2", "reading 2/2"]
    assert not blank.strip() and len(blank) >= len("reading 1/2") and not rest


@pytest.mark.parametrize(("out", "seconds"), [(Terminal(), 0.1), (io.StringIO(), 2.0)])
def test_nothing_is_written_when_quick_or_into_a_file(out: io.StringIO, seconds: float) -> None:
    read(out, seconds)
    assert out.getvalue() == ""


def test_what_fails_leaves_no_line_behind() -> None:
    out, now = Terminal(), [0.0]

    def polls() -> Iterator[Snapshot]:
        now[0] = 5.0
        yield Snapshot(runs=runs(2), read=(1, 2))
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        ReadingProgress(out, "en", lambda: now[0]).last(polls())
    assert out.getvalue().endswith(" \r")
