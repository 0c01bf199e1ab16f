from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from lossmon.config import Config
from lossmon.reports import status_cache
from lossmon.reports.status_cache import status
from tests.monitor.logs import append, falling

HOUR = 3600.0


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run that was written an hour ago."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "run" / "trainer_log.jsonl"
    file.parent.mkdir()
    append(file, falling(1, 101))
    for path in (file, file.parent, tmp_path):
        os.utime(path, (0, path.stat().st_mtime - HOUR))
    return file


def line(log: Path, fail_on: str = "critical") -> str:
    return status([log.parent], Config(), fail_on)[0]


def entry(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "cache" / "lossmon" / "status").iterdir()
    return file


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_the_line_comes_from_the_cache_while_nothing_changes(log: Path, tmp_path: Path) -> None:
    first = line(log)
    assert first.startswith("✓ healthy")
    change(entry(tmp_path), line="from the cache", took=0)
    assert line(log) == "from the cache"


@pytest.mark.parametrize("where", ["file", "directory"])
def test_a_change_on_disk_makes_it_anew(log: Path, tmp_path: Path, where: str) -> None:
    line(log)
    change(entry(tmp_path), line="stale", took=0)
    if where == "file":
        append(log, falling(101, 102))
    else:
        append(log.parent / "another.jsonl", ["\n"])
    assert line(log) != "stale"


def test_reading_that_took_long_is_not_repeated_at_once(log: Path, tmp_path: Path) -> None:
    begin = time.monotonic()
    line(log)
    assert 0 < json.loads(entry(tmp_path).read_text())["took"] <= time.monotonic() - begin
    change(entry(tmp_path), line="from the cache", took=1000)
    append(log, falling(101, 102))
    assert line(log) == "from the cache"


def test_an_entry_ends_with_its_time(log: Path, tmp_path: Path) -> None:
    line(log)
    made = json.loads(entry(tmp_path).read_text())["made"]
    for wrong in (made - HOUR, made + HOUR):
        change(entry(tmp_path), line="stale", made=wrong)
        assert line(log) != "stale"


def test_what_was_written_while_it_was_read_is_not_compared(log: Path, tmp_path: Path) -> None:
    ahead = log.stat().st_mtime + 2 * HOUR
    os.utime(log, (ahead, ahead))
    line(log)
    assert json.loads(entry(tmp_path).read_text())["files"] == []


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"key": 1}', "\x00"])
def test_a_broken_entry_is_made_anew(log: Path, tmp_path: Path, text: str) -> None:
    line(log)
    entry(tmp_path).write_text(text)
    assert line(log) != "stale"


def test_other_settings_have_another_entry(log: Path, tmp_path: Path) -> None:
    line(log)
    line(log, "warning")
    assert len(list((tmp_path / "cache" / "lossmon" / "status").iterdir())) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_else(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert line(log).startswith("✓ healthy")


def test_a_directory_without_runs_says_so(tmp_path: Path, log: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert status([empty], Config(), "critical") == ("… no metrics", None)


def test_the_cache_compares_every_directory_on_the_way(log: Path, tmp_path: Path) -> None:
    status([tmp_path], Config(), "critical")
    files = [path for path, *_ in json.loads(entry(tmp_path).read_text())["files"]]
    assert status_cache.signature(files) and {str(tmp_path), str(log.parent), str(log)} <= {*files}
