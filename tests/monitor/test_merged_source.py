from __future__ import annotations

import threading
from pathlib import Path

from lossmon.monitor import LocalSource
from lossmon.monitor.merged_source import MergedSource, merged
from lossmon.types import Snapshot
from tests.monitor.logs import append, falling


def planted(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    append(tmp_path / name / "trainer_log.jsonl", falling(1, 21))
    return tmp_path / name


def test_the_runs_of_every_source_are_there_and_one_bell_rings(tmp_path: Path) -> None:
    changed = threading.Event()
    places = [[planted(tmp_path, "a")], [planted(tmp_path, "b")], [tmp_path / "missing"]]
    sources = [LocalSource(paths, hardware=False, changed=changed) for paths in places]
    merged = MergedSource(sources, changed)
    try:
        assert [run.name for run in merged.drain().runs] == ["a", "b"]
        merged.begin()
        first = merged.poll(1.0)
        assert merged.poll(1.0) is first and first.waiting_for == ""
        assert any("missing" in note for note in first.notes)
        merged.changed.clear()
        append(places[1][0] / "trainer_log.jsonl", falling(21, 22))
        assert merged.changed.wait(10)
        assert [run.step for run in merged.drain().runs] == [20, 21]
    finally:
        merged.stop()


def test_without_any_run_it_is_told_what_every_source_waits_for(tmp_path: Path) -> None:
    changed = threading.Event()
    paths = [tmp_path / "x", tmp_path / "y"]
    sources = [LocalSource([path], hardware=False, changed=changed) for path in paths]
    waiting = MergedSource(sources, changed).poll(1.0).waiting_for
    assert str(paths[0]) in waiting and str(paths[1]) in waiting


def test_runs_that_are_read_are_counted_once_all_are_found() -> None:
    done, reading = Snapshot(read=(2, 2)), Snapshot(busy=True, read=(1, 3))
    assert merged([done, reading]).read == (3, 5)
    assert merged([done, Snapshot(busy=True)]).read is None
    assert merged([reading, Snapshot()]).read == (1, 3)
