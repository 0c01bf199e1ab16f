"""Files that a log names, and how many of them one call opens."""

from __future__ import annotations

from pathlib import Path

from lossmon.readers.files.attachments import AttachmentQueue, read_attachment


def test_a_file_below_the_directory_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b c.txt").write_text("text")
    assert read_attachment(tmp_path, "a/b c.txt", 100) == b"text"
    assert read_attachment(tmp_path, "a/b c.txt", 2) == b"te"


def test_nothing_else_is_read(tmp_path: Path) -> None:
    inside = tmp_path / "run"
    inside.mkdir()
    (tmp_path / "secret").write_text("secret")
    (inside / ".hidden").write_text("secret")
    (inside / "link").symlink_to(tmp_path)
    for name in (
        "../secret",
        "link/secret",
        ".hidden",
        "",
        "/",
        "a//b",
        "x" * 999,
        "a/" * 20 + "b",
    ):
        assert read_attachment(inside, name, 100) is None, name


def test_of_too_many_the_first_and_the_newest_of_each_key_wait() -> None:
    waiting = AttachmentQueue[int]()
    waiting.add("few", -1)
    for number in range(5000):
        waiting.add("many", number)
    found = waiting.drain()
    assert len(found) <= 301
    assert found[:2] == [-1, 0]
    assert found[-1] == 4999
    assert waiting.drain() == []
