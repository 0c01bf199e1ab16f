"""A file of settings is rewritten whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.errors import ConfigError
from lossmon.toml.edit import LARGEST, rewrite


def upper(text: str) -> str:
    return text.replace("a", "b")


def test_a_file_keeps_its_mode_and_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'# \xc3\xa9\r\nx = "a"\r\n')
    path.chmod(0o640)
    rewrite(path, upper)
    assert path.read_bytes() == b'# \xc3\xa9\r\nx = "b"\r\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_missing_file_is_made_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "config.toml"
    rewrite(path, lambda text: text + "x = 1\n")
    assert path.read_text() == "x = 1\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "config.toml", tmp_path / "config.toml"
    real.write_text('x = "a"\n')
    link.symlink_to(real)
    rewrite(link, upper)
    assert link.is_symlink()
    assert real.read_text() == 'x = "b"\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"x = \n", "not valid TOML", id="broken"),
        pytest.param(b"x = 1\nx = 2\n", "not valid TOML", id="a key twice"),
        pytest.param(b"# \xff\nx = 1\n", "is not UTF-8", id="not text"),
        pytest.param(b"#" * (LARGEST + 1), "is larger than", id="too large"),
    ],
)
def test_a_file_that_cannot_be_understood_is_left_alone(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as told:
        rewrite(path, upper)
    assert str(path) in str(told.value)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_read_only_file_is_left_alone_even_where_its_directory_may_be_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('x = "a"\n')
    path.chmod(0o444)
    with pytest.raises(ConfigError, match="is read-only"):
        rewrite(path, upper)
    assert path.read_text() == 'x = "a"\n'


def test_a_change_that_makes_no_toml_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('x = "a"\n')
    with pytest.raises(ConfigError):
        rewrite(path, lambda text: "x = ")
    assert path.read_text() == 'x = "a"\n'


def test_what_another_program_wrote_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('x = "a"\n')

    def slow(text: str) -> str:
        path.write_text('y = "theirs"\n')
        return upper(text)

    with pytest.raises(ConfigError, match="was changed meanwhile"):
        rewrite(path, slow)
    assert path.read_text() == 'y = "theirs"\n'
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        rewrite(tmp_path, upper)


def test_a_file_in_the_place_of_the_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(ConfigError, match="home"):
        rewrite(tmp_path / "home" / "config.toml", upper)
