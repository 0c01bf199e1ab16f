from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.nodes.journal import Journal, is_journal, path_of


def test_a_line_that_a_killed_writer_left_torn_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = path_of(tmp_path, "gpu01")
    Journal(path).append(b'{"n":1}\n')
    with path.open("ab") as file:
        file.write(b'{"n":2')
    Journal(path).append(b'{"n":3}\n')
    assert path.read_bytes() == b'{"n":1}\n{"n":2\n{"n":3}\n'


def test_the_file_never_grows_beyond_its_limit_and_keeps_one_predecessor(tmp_path: Path) -> None:
    path = path_of(tmp_path, "gpu01")
    journal = Journal(path, limit=100)
    lines = [b'{"n":%d}\n' % n for n in range(100)]
    for line in lines:
        journal.append(line)
        assert path.stat().st_size <= 100
    before = Path(f"{path}.1").read_bytes()
    assert len(before) <= 100
    kept = (before + path.read_bytes()).splitlines()
    assert len(kept) > 10 and kept == [line.strip() for line in lines][-len(kept) :]
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, f"{path.name}.1"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = path_of(tmp_path, "gpu01")
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        Journal(path).append(b"{}\n")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("host", ["gpu01.cluster.example", "../../etc/passwd", "", "a/b\n", "…"])
def test_every_host_has_a_file_inside_the_run(tmp_path: Path, host: str) -> None:
    path = path_of(tmp_path, host)
    assert path.parent == tmp_path / ".lossmon" and is_journal(path.name)
