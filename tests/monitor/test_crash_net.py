"""An exception that nobody expected costs one file or one run, and none of its neighbours."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lossmon import cli
from lossmon.diagnosis.engine import Engine
from lossmon.errors import internal_error
from lossmon.monitor import Monitor
from lossmon.monitor.runs.run_monitor import RunMonitor
from lossmon.readers.discovery import containers, detection, grouping, search_path
from lossmon.readers.discovery.tree import Tree
from lossmon.readers.registry import formats
from lossmon.reports.record import record
from lossmon.types import RunSnapshot, Snapshot
from tests import paths
from tests.monitor.logs import append, falling

DATABASE = paths.DATA / "optuna" / "study.db"


class UnknownError(Exception):
    """What nobody expects."""


def failing(original: Callable[..., Any], hits: Callable[..., bool]) -> Callable[..., Any]:
    """The original, which raises for whatever is given with the word `bad` in it."""

    def call(*arguments: Any, **named: Any) -> Any:
        if hits(*arguments, **named):
            raise UnknownError("surprise")
        return original(*arguments, **named)

    return call


def names_bad(*arguments: Any, **_: Any) -> bool:
    return any("bad" in str(getattr(one, "path", one)) for one in arguments)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs with a log each, and a third in a database."""
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        append(tmp_path / name / "trainer_log.jsonl", falling(1, 61))
    (tmp_path / "bad_study").mkdir()
    (tmp_path / "bad_study" / "study.db").write_bytes(DATABASE.read_bytes())
    return tmp_path


def errors_of(runs: Path) -> list[str]:
    """The errors of all runs; a study has a verdict of its own beside that of its curves."""
    return [error for run in Monitor([runs]).drain().runs for error in run.errors]


def said(snapshot: Snapshot) -> str:
    return " ".join((*snapshot.notes, *(error for run in snapshot.runs for error in run.errors)))


def good(snapshot: Snapshot) -> RunSnapshot:
    (run,) = (run for run in snapshot.runs if run.name == "good")
    return run


def in_a_reader(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Let the reader of the bad log fail, when it is made or when it reads."""
    (one,) = (one for one in formats() if one.source == "llamafactory")
    reader = type(one.open(Path("x")))
    monkeypatch.setattr(reader, method, failing(getattr(reader, method), names_bad))


PLACES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "list a directory": lambda patch: patch.setattr(
        Tree, "_fill", failing(Tree._fill, lambda self, directory, *_: names_bad(directory))
    ),
    "group": lambda patch: patch.setattr(
        search_path, "grouped", failing(grouping.grouped, counted(hits=(2,)))
    ),
    "detect": lambda patch: patch.setattr(
        detection, "detect_head", failing(detection.detect_head, names_bad)
    ),
    "look into a database": lambda patch: patch.setattr(
        containers, "_names", failing(containers._names, lambda runs: True)
    ),
    "open": lambda patch: in_a_reader(patch, "__init__"),
    "read": lambda patch: in_a_reader(patch, "read"),
    "store": lambda patch: patch.setattr(
        RunMonitor, "_add", failing(RunMonitor._add, lambda run, *_: names_bad(run))
    ),
    "describe": lambda patch: patch.setattr(
        RunMonitor, "_describe", failing(RunMonitor._describe, lambda run, *_: names_bad(run))
    ),
}


def counted(hits: tuple[int, ...]) -> Callable[..., bool]:
    """Whether this is one of the calls that are to fail, counted from 1."""
    calls = 0

    def is_hit(*_: Any, **__: Any) -> bool:
        nonlocal calls
        calls += 1
        return calls in hits

    return is_hit


@pytest.mark.parametrize("where", PLACES)
def test_an_unknown_exception_costs_one_file_and_is_shown(
    runs: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    PLACES[where](monkeypatch)
    monitor = Monitor([runs])
    monitor.drain()
    append(runs / "good" / "trainer_log.jsonl", falling(61, 81))
    (runs / "later").mkdir()
    append(runs / "later" / "trainer_log.jsonl", falling(1, 61))
    heard = ""
    for _ in range(2):
        monitor.rescan()
        snapshot = monitor.drain()
        heard += said(snapshot)
    assert "internal error: UnknownError: surprise (" in heard
    assert {"good", "later"} <= {run.name for run in snapshot.runs}
    assert good(snapshot).step == 80
    assert good(snapshot).diagnosis.verdict.code == "healthy"


def test_a_failed_diagnosis_costs_one_run_its_verdict(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "feed", failing(Engine.feed, counted(hits=(1,))))
    (error,) = errors_of(runs)
    assert "the run is not judged" in error


def test_a_diagnosis_that_cannot_be_described_costs_one_run_its_verdict(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "diagnosis", failing(Engine.diagnosis, counted(hits=(1,))))
    (error,) = errors_of(runs)
    assert "the run is not judged" in error


def test_check_prints_the_other_runs_where_one_cannot_be_printed(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lossmon.reports.record.record", failing(record, names_bad))
    assert cli.main(["check", str(runs), "--json"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["run"] for line in out.splitlines()] == ["good"]
    assert "UnknownError: surprise" in err


def test_a_traceback_is_kept_where_nobody_configured_logging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    log = logging.getLogger("lossmon")
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", False)
    try:
        raise UnknownError("surprise")
    except UnknownError as error:
        internal_error(error)
    kept = (tmp_path / "lossmon" / "errors.log").read_text(encoding="utf-8")
    assert "raise UnknownError" in kept
    for handler in log.handlers:
        handler.close()


@pytest.mark.parametrize("is_pipe", [False, True], ids=["no directory", "a pipe"])
def test_a_log_that_cannot_be_written_costs_the_traceback_only(
    is_pipe: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if is_pipe:
        (tmp_path / "lossmon").mkdir()
        os.mkfifo(tmp_path / "lossmon" / "errors.log")
    else:
        (tmp_path / "lossmon").write_text("a file where a directory should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    log = logging.getLogger("lossmon")
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", False)
    assert internal_error(UnknownError("surprise")) == "internal error: UnknownError: surprise"
    assert capfd.readouterr() == ("", "")


def test_a_cell_with_a_percent_sign_is_a_number(tmp_path: Path) -> None:
    rule = "-" * 34
    blocks = [
        f"{rule}\n| time/            |       |\n|    total_timesteps | {i * 1000} |\n"
        f"| train/           |       |\n|    accuracy      | {cell} |\n"
        f"|    loss          | {2.5 - i / 10:.3f} |\n{rule}\n"
        for i, cell in enumerate(["5%", "10%", "nan%", "20%"], start=1)
    ]
    (tmp_path / "train.log").write_text("".join(blocks))
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.errors == ()
    (accuracy,) = (one for one in run.series if "accuracy" in one.tag)
    assert (accuracy.n, accuracy.n_nonfinite, accuracy.last) == (4, 1, 20.0)


def test_a_directory_with_a_name_that_is_not_utf_8_is_read(runs: Path) -> None:
    odd = os.fsencode(runs) + b"/run_\xe9_1"
    os.mkdir(odd)
    append(Path(os.fsdecode(odd)) / "trainer_log.jsonl", falling(1, 61))
    assert "run_\udce9_1" in {run.name for run in Monitor([runs]).drain().runs}


def test_a_database_with_damaged_names_leaves_its_neighbours_alone(runs: Path) -> None:
    damaged = bytearray(DATABASE.read_bytes())
    at = damaged.index(b"CREATE TABLE")
    damaged[at : at + 12] = b"\xff\xfe\xe9\x80ATE TABL\xff"
    (runs / "damaged.db").write_bytes(damaged)
    snapshot = Monitor([runs]).drain()
    assert "damaged.db" in said(snapshot)
    assert good(snapshot).step == 60


@pytest.mark.parametrize("missing", [0, 60_000, 110_000])
def test_a_database_that_is_being_copied_is_read_once_it_is_whole(
    missing: int, tmp_path: Path
) -> None:
    content, study = DATABASE.read_bytes(), tmp_path / "study.db"
    study.write_bytes(content[:missing] + bytes(len(content) - missing))
    monitor = Monitor([tmp_path])
    monitor.drain()
    study.write_bytes(content)
    monitor.rescan()
    snapshot = monitor.drain()
    assert not said(snapshot) and len(snapshot.runs) == len(Monitor([tmp_path]).drain().runs) > 0
