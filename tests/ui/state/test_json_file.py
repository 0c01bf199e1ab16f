"""Small files in the user's own directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.ui.state import json_file


def test_what_is_written_is_read_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    json_file.write(path, '{"a": 1}')
    json_file.write(path, '{"a": 2}')
    assert json_file.read(path, 100) == {"a": 2}
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_not_there_is_told_apart_from_one_that_holds_nothing(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError):
        json_file.read(tmp_path / "none", 100)
    (tmp_path / "null").write_text("null")
    assert json_file.read(tmp_path / "null", 100) is None


def test_no_more_is_read_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("1" * 2048)
    assert json_file.read(path, 2048) is not None
    with pytest.raises(json_file.JsonFileError, match="larger than 1 KiB"):
        json_file.read(path, 2047)


def test_a_link_where_the_new_file_is_begun_is_not_written_through(tmp_path: Path) -> None:
    path, other = tmp_path / "file.json", tmp_path / "other"
    other.write_text("mine")
    path.with_name(f".{path.name}.{os.getpid()}").symlink_to(other)
    json_file.write(path, "1")
    assert other.read_text() == "mine"
    assert json_file.read(path, 10) == 1


def test_where_nothing_can_be_written_the_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    path = tmp_path / "file" / "below.json"
    with pytest.raises(json_file.JsonFileError, match=r"below\.json"):
        json_file.write(path, "1")
