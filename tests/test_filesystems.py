"""File systems of paths, by the table of mounts, without a question to those that may hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.filesystems import Mount, mount_of, silent_mounts, unanswering

NFS = "nfs4"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of mounts with one NFS mount, `nfs`, in the test's own directory."""
    file = tmp_path / "mountinfo"
    (tmp_path / "nfs").mkdir()
    file.write_text(
        "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"21 20 0:40 / {tmp_path}/nfs rw shared:1 - {NFS} server:/export rw\n"
    )
    return file


def test_links_are_followed_to_the_network_file_system(tmp_path: Path, table: Path) -> None:
    (tmp_path / "output").symlink_to("link/runs")
    (tmp_path / "link").symlink_to(tmp_path / "nfs")
    assert mount_of(tmp_path / "output", table) == Mount(f"{tmp_path}/nfs", NFS)
    assert mount_of(tmp_path / "link" / "a" / "b", table).kind == NFS
    assert mount_of(tmp_path, table) == Mount("/", "ext4")


def test_links_on_the_network_file_system_are_not_read(tmp_path: Path, table: Path) -> None:
    (tmp_path / "nfs" / "out").symlink_to("/")
    assert mount_of(tmp_path / "nfs" / "out", table).kind == NFS


def test_links_in_a_circle_come_to_an_end(tmp_path: Path, table: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert mount_of(tmp_path / "a" / "c", table).kind == "ext4"


def test_what_is_mounted_below_a_path_counts(tmp_path: Path, table: Path) -> None:
    (below,) = silent_mounts([tmp_path], table)
    assert below.kind == NFS
    assert silent_mounts([tmp_path / "elsewhere"], table) == ()


def test_what_is_local_or_missing_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unanswering([tmp_path, tmp_path / "missing"], 0.0) == []
    monkeypatch.setattr("lossmon.filesystems.is_silent", lambda kind: True)
    assert unanswering([tmp_path, tmp_path / "missing"], 30.0) == []
