"""Regular files, and what only looks like one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lossmon.regular_file import open_regular
from lossmon.ui.state.json_file import JsonFileError, read

FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a directory": (os.mkdir, "Is a directory"),
    "a loop": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
}


@pytest.mark.parametrize(("make", "reason"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_regular_file_is_neither_read_nor_waited_for(
    make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    make(path := tmp_path / "file")
    with pytest.raises(OSError, match=reason):
        open_regular(path)
    with pytest.raises(JsonFileError, match=f"file: {reason}"):
        read(path, 1000)


def test_links_are_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"text"
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "link", follow=False)
