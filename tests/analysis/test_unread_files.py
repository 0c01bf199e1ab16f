from __future__ import annotations

import pytest

from lossmon.analysis.file_sentences import about_unread


@pytest.mark.parametrize(
    "seen, unread, text",
    [
        (0, (), "no files here yet"),
        (1, (), "src/notes.txt is empty"),
        (1, ("notes.txt",), "notes.txt is not a log in a known format"),
        (1, ("a.py",), "1 file here, none with metrics: a.py"),
        (1, ("a.log (empty)",), "a.log is empty"),
        (2, ("a.log (empty)", "b.py"), "2 files here, none with metrics: a.log (empty), b.py"),
        (3, ("a.py", "b.bin"), "3 files here, none with metrics: a.py, b.bin, …"),
    ],
)
def test_files_that_are_not_read_are_named(seen: int, unread: tuple[str, ...], text: str) -> None:
    assert about_unread("src/notes.txt", seen, unread, "en") == text
