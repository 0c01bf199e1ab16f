"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.reports.export.files import LONGEST, file_name, fresh


@pytest.mark.parametrize(
    "run",
    [
        "../../etc/passwd",
        "a/b",
        "日本",
        "..",
        "",
        "x" * 500,
        "日" * 99,
        "\x1b[31m",
        "\u202e\udc80",
        "-rf",
        "con:",
    ],
)
def test_a_file_name_stays_in_its_directory_whatever_the_run_is_called(run: str) -> None:
    name = file_name(run, 0.0)
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert name.isprintable()
    assert len(name.encode()) <= LONGEST + len("-19700101-000000")


def test_a_file_name_keeps_the_letters_of_any_script() -> None:
    assert file_name("损失 a/ß_2", 0.0).startswith("损失-a-ß_2-")
    assert file_name("日" * 99, 0.0).startswith("日" * 40 + "-")


def test_a_file_is_there_only_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with fresh(path) as out:
        out.write("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert list(tmp_path.iterdir()) == [path]


def test_what_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> None:
        with fresh(tmp_path / "a.txt") as out:
            out.write("half")
            raise ValueError

    with pytest.raises(ValueError):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(FileExistsError), fresh(path) as out:
        out.write("new")
    assert path.read_text() == "old"


def test_a_file_that_comes_meanwhile_is_left_alone_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def late() -> None:
        with fresh(path) as out:
            out.write("new")
            path.write_text("somebody else's")

    with pytest.raises(FileExistsError):
        late()
    assert path.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [path]
