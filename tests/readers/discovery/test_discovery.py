"""Paths become runs, again and again, whatever lies in the way."""

from __future__ import annotations

import os
import random
import socket
import sqlite3
from contextlib import closing
from itertools import takewhile
from pathlib import Path

import pytest

from lossmon.readers.discovery import detection, tree
from lossmon.readers.discovery.discovery import Discovery, names
from lossmon.readers.discovery.found import FoundRun
from lossmon.readers.discovery.search_path import SearchPath
from tests.paths import DATA

LINE = b'{"step": 1, "loss": 2.0}\n'
LOG = b"step 250: train loss 2.5017, val loss 2.6037\n"


def write(path: Path, content: bytes = LINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def touched(path: Path, seconds: int = 60) -> None:
    """Set a time stamp that no later change can share by accident."""
    os.utime(path, (os.stat(path).st_mtime - seconds,) * 2)


def by_name(discovery: Discovery) -> dict[str, FoundRun]:
    return {run.name: run for run in discovery.scan().runs}


def test_a_run_is_called_as_the_user_typed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "output" / "metrics.jsonl")
    monkeypatch.chdir(tmp_path)
    (run,) = Discovery([Path("output")]).scan().runs
    assert (run.name, run.path) == ("output", Path("output"))
    monkeypatch.chdir(tmp_path / "output")
    (run,) = Discovery([Path()]).scan().runs
    assert run.name == "output"


def test_runs_of_one_name_are_told_apart_by_their_path(tmp_path: Path) -> None:
    write(tmp_path / "a" / "output" / "m.jsonl")
    write(tmp_path / "b" / "output" / "m.jsonl")
    assert set(by_name(Discovery([tmp_path]))) == {"a/output", "b/output"}


def test_a_file_given_is_a_run(tmp_path: Path) -> None:
    log = write(tmp_path / "train.log", LOG)
    (run,) = Discovery([log]).scan().runs
    assert (run.name, run.path, run.files[0].format.source) == ("train.log", log, "text")


def test_a_file_given_by_the_user_may_be_called_anything(tmp_path: Path) -> None:
    for name, content in (("losses", LINE), ("what-it-said", LOG)):
        given = write(tmp_path / name, content)
        assert Discovery([given]).scan().runs[0].files[0].format.source in ("jsonl", "text")
    assert Discovery([write(tmp_path / "weights", b"\0\1" * 99)]).scan().runs == ()
    assert Discovery([tmp_path]).scan().runs == ()


def test_a_path_given_twice_is_listed_once(tmp_path: Path) -> None:
    log = write(tmp_path / "a" / "train.log", LOG)
    assert len(Discovery([tmp_path, tmp_path / "a", log]).scan().runs) == 1


def test_runs_of_one_given_name_are_told_apart_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (DATA / "mlflow" / "mlflow.sql").read_text()
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        with closing(sqlite3.connect(tmp_path / place / "mlflow.db")) as database:
            database.executescript(script)
    monkeypatch.chdir(tmp_path)
    found = [run.name for run in Discovery([Path(".")], {}).scan().runs]
    assert len(set(found)) == 2
    assert {name.split("/")[0] for name in found} == {"a", "b"}


def test_the_same_file_under_two_names_is_read_once(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl")
    os.link(first, tmp_path / "b.jsonl")
    (run,) = Discovery([tmp_path]).scan().runs
    assert len(run.files) == 1


def test_what_is_not_there_is_a_note(tmp_path: Path) -> None:
    scan = Discovery([tmp_path / "missing"]).scan()
    assert not scan.runs
    assert "missing" in scan.notes[0]


def test_a_directory_that_appears_later_is_found(tmp_path: Path) -> None:
    discovery = Discovery([tmp_path / "output"])
    assert not discovery.scan().runs
    write(tmp_path / "output" / "m.jsonl")
    assert len(discovery.scan().runs) == 1
    assert not discovery.scan().notes


def test_nothing_changed_gives_the_very_same_scan(tmp_path: Path) -> None:
    write(tmp_path / "m.jsonl")
    discovery = Discovery([tmp_path])
    assert discovery.scan() is discovery.scan()


def test_a_file_that_is_still_empty_is_taken_when_it_grows(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", b"")
    discovery = Discovery([tmp_path])
    assert not discovery.scan().runs
    path.write_bytes(LINE)
    assert len(discovery.scan().runs) == 1


def test_a_file_in_a_new_directory_joins_its_run(tmp_path: Path) -> None:
    write(tmp_path / "output" / "trainer_log.jsonl", b'{"current_steps": 1, "total_steps": 2}\n')
    discovery = Discovery([tmp_path / "output"])
    (before,) = discovery.scan().runs
    write(tmp_path / "output" / "logs" / "train.log", LOG)
    (after,) = discovery.scan().runs
    assert after.path == before.path
    assert len(after.files) == 2


def test_a_run_keeps_its_path_when_others_appear_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "train.log", LOG)
    write(tmp_path / "a" / "m.jsonl")
    discovery = Discovery([tmp_path])
    (first,) = discovery.scan().runs
    assert len(first.files) == 2
    write(tmp_path / "b" / "m.jsonl")
    scan = discovery.scan()
    assert [run.path for run in scan.runs] == [first.path, tmp_path / "b"]
    assert scan.runs[0].files == first.files


OUTPUT = (
    "train.log",
    "trainer_log.jsonl",
    "logs/tb/events.out.tfevents.1795220000.vm.1.0",
    "logs/tb/events.out.tfevents.1795220001.vm.1.1",
    "csv_logs/version_0/metrics.csv",
    "csv_logs/version_1/metrics.csv",
    "other/progress.csv",
    "other/results.jsonl",
    "nested/tb/train/events.out.tfevents.1795220000.vm.2.0",
    "nested/tb/validation/events.out.tfevents.1795220000.vm.2.1",
)


@pytest.mark.parametrize("seed", range(12))
def test_in_whatever_order_files_appear_no_run_moves_and_no_file_is_lost(
    tmp_path: Path, seed: int
) -> None:
    order = random.Random(seed).sample(OUTPUT, len(OUTPUT))
    discovery = Discovery([tmp_path])
    owner: dict[Path, Path] = {}
    for name in order:
        write(tmp_path / name, LINE if name.endswith("jsonl") else b"step,loss\n1,2.0\n")
        now = {file.path: run.path for run in discovery.scan().runs for file in run.files}
        assert owner.items() <= now.items()
        owner = now
    assert set(owner) == {tmp_path / name for name in OUTPUT}


def test_a_run_that_vanished_is_no_longer_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "m.jsonl")
    write(tmp_path / "b" / "m.jsonl")
    discovery = Discovery([tmp_path])
    assert len(discovery.scan().runs) == 2
    path.unlink()
    path.parent.rmdir()
    assert len(discovery.scan().runs) == 1


def test_checkpoints_are_listed_by_step(tmp_path: Path) -> None:
    write(tmp_path / "trainer_log.jsonl", b'{"current_steps": 1, "total_steps": 2}\n')
    for step in (100, 20):
        write(tmp_path / f"checkpoint-{step}" / "model.safetensors", b"")
    write(tmp_path / "checkpoints" / "epoch=3-step=48-val_loss=0.381.ckpt", b"")
    (run,) = Discovery([tmp_path]).scan().runs
    assert run.checkpoints == (
        (20, "checkpoint-20"),
        (48, "epoch=3-step=48-val_loss=0.381.ckpt"),
        (100, "checkpoint-100"),
    )


def test_a_new_checkpoint_is_noticed(tmp_path: Path) -> None:
    write(tmp_path / "m.jsonl")
    discovery = Discovery([tmp_path])
    assert discovery.scan().runs[0].checkpoints == ()
    (tmp_path / "checkpoint-5").mkdir()
    assert discovery.scan().runs[0].checkpoints == ((5, "checkpoint-5"),)


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "m.jsonl")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "dir").symlink_to(outside.parent)
    (inside / "file.jsonl").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    assert not Discovery([inside]).scan().runs


def test_a_link_that_the_user_gave_is_meant(tmp_path: Path) -> None:
    write(tmp_path / "run_7" / "m.jsonl")
    (tmp_path / "latest").symlink_to("run_7")
    (run,) = Discovery([tmp_path / "latest"]).scan().runs
    assert run.name == "latest"


def test_a_copy_of_the_latest_run_is_no_run_of_its_own(tmp_path: Path) -> None:
    for name in ("run-20260101_100000-a1b2", "latest-run"):
        write(tmp_path / "wandb" / name / "files" / "output.log", LOG)
    assert set(by_name(Discovery([tmp_path]))) == {"run-20260101_100000-a1b2"}
    write(tmp_path / "wandb" / "latest-run" / "files" / "output.log", LOG * 2)
    assert set(by_name(Discovery([tmp_path]))) == {"run-20260101_100000-a1b2", "latest-run"}


def test_fifos_and_sockets_are_stepped_over_with_a_note(tmp_path: Path) -> None:
    write(tmp_path / "m.jsonl")
    os.mkfifo(tmp_path / "a.log")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(tmp_path / "b.log"))
        scan = Discovery([tmp_path]).scan()
    assert len(scan.runs) == 1
    assert len(scan.notes) == 2


def test_a_directory_that_may_not_be_read_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "m.jsonl")
    write(tmp_path / "secret" / "m.jsonl")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(tree.os, "scandir", guarded)
    scan = Discovery([tmp_path]).scan()
    assert len(scan.runs) == 1
    assert scan.notes == (f"{tmp_path / 'secret'}: Permission denied",)


def test_very_deep_trees_end_somewhere(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"abcdefgh")
    write(deep / "m.jsonl")
    write(tmp_path.joinpath(*"abcdef") / "m.jsonl")
    assert len(Discovery([tmp_path]).scan().runs) == 1


def test_what_is_seen_is_counted_where_nothing_is_recognised(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors")
    write(tmp_path / "notes.md")
    scan = Discovery([tmp_path]).scan()
    assert (scan.runs, scan.seen_files) == ((), 2)
    assert set(scan.unrecognised) <= {"model.safetensors", "notes.md"}
    assert scan.unrecognised


def test_an_unchanged_tree_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in range(20):
        write(tmp_path / f"run{run}" / "m.jsonl")
        touched(tmp_path / f"run{run}")
    touched(tmp_path)
    discovery = Discovery([tmp_path])
    discovery.scan()
    listed: list[str] = []
    scandir = os.scandir

    def counted(path: str) -> object:
        listed.append(str(path))
        return scandir(path)

    monkeypatch.setattr(tree.os, "scandir", counted)
    discovery.scan()
    assert listed == []
    write(tmp_path / "run3" / "new.jsonl")
    discovery.scan()
    assert listed == [str(tmp_path / "run3")]


def test_logs_stand_in_the_order_in_which_they_were_begun(tmp_path: Path) -> None:
    for name in ("train.log", "train.log.1", "train.log.10", "train.log.2"):
        (tmp_path / name).write_text("step 1 loss 2.0\nstep 2 loss 1.5\n" * 4)
    (run,) = Discovery([tmp_path]).scan().runs
    names = [file.path.name for file in run.files]
    assert names == ["train.log.10", "train.log.2", "train.log.1", "train.log"]


def test_the_directory_of_an_mlflow_run_is_one_run_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "meta.yaml").write_text("run_id: a\nstatus: 3\n")
    for name in ("train/loss", "eval/loss"):
        metric = tmp_path / "metrics" / name
        metric.parent.mkdir(parents=True)
        metric.write_text("1700000000000 1.5 1\n1700000001000 1.4 2\n")
    (run,) = Discovery([tmp_path]).scan().runs
    assert run.path == tmp_path


@pytest.mark.parametrize(
    "runs, called",
    [
        pytest.param([("/a/x", ""), ("/a/y", "")], ["x", "y"], id="the last part is enough"),
        pytest.param([("/a/x", ""), ("/b/x", "")], ["a/x", "b/x"], id="the same last part"),
        pytest.param([("/a", "demo"), ("/b", "tiny")], ["demo", "tiny"], id="given names"),
        pytest.param([("/s/a", "demo"), ("/s/b", "demo")], ["a/demo", "b/demo"], id="given twice"),
        pytest.param([("/a", "demo"), ("/a", "demo")], ["a/demo", "a/demo (2)"], id="one file"),
        pytest.param([("/a", ""), ("/a", "")], ["a", "a (2)"], id="one path"),
    ],
)
def test_a_run_is_called_by_as_little_as_tells_it_from_the_others(
    runs: list[tuple[str, str]], called: list[str]
) -> None:
    assert names([Path(path) for path, _ in runs], [name for _, name in runs]) == called


def test_a_large_tree_is_searched_a_little_at_a_time(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"run{number:02}").mkdir()
        (tmp_path / f"run{number:02}" / "train.log").write_text("step 1 loss 2.5\n" * 5)
    discovery, counts = Discovery([tmp_path]), []
    for _ in range(1000):
        scan = discovery.scan(deadline=0.0)
        counts.append(scan.seen_files)
        if scan.is_complete:
            break
        assert scan.runs == ()
    assert len(scan.runs) == 60
    assert len(counts) > 4 and counts == sorted(counts)
    assert discovery.scan() is scan


@pytest.mark.parametrize(
    ("enough", "many", "name"),
    [
        pytest.param(5, 5_000, "part{0:03}.txt", id="counted"),
        pytest.param(5, 5_000, "author{0}/text.txt", id="in directories of their own"),
        pytest.param(500, 15, "{1}.txt", id="named after titles"),
    ],
)
def test_a_log_is_shown_before_a_data_set_beside_it_is_searched(
    enough: int, many: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "ENOUGH", enough)
    monkeypatch.setattr(detection, "MANY", many)
    for number in range(80):
        title = chr(97 + number // 20) * 3 + chr(107 + number % 10) * (number % 7 + 1)
        text = tmp_path / name.format(number, title)
        text.parent.mkdir(exist_ok=True)
        text.write_text("a text like any other\n" * 300)
    (tmp_path / "part070.txt").write_text("step 1 loss 2.5\n" * 5)
    (tmp_path / "train.log").write_text("step 1 loss 2.5\n" * 5)
    discovery = Discovery([tmp_path])
    looks = iter(lambda: discovery.scan(deadline=0.0), None)
    scans = list(takewhile(lambda scan: not scan.is_complete, looks))
    first = next(scan for scan in scans if scan.runs)
    assert "train.log" in {file.path.name for run in first.runs for file in run.files}
    last = discovery.scan()
    found = {file.path.name for run in last.runs for file in run.files}
    assert found == {"train.log", "part070.txt"}
    assert len(scans) < 10 and last.is_complete and discovery.scan() is last
    assert Discovery([tmp_path]).scan().is_complete


@pytest.mark.parametrize(
    "names",
    [("run1.log", "run2.log"), ("train_2026-11-20_10-00.log", "train_2026-11-21_09-30.log")],
)
@pytest.mark.parametrize(
    ("first", "scale", "count"),
    [
        pytest.param(50, 3.0, 2, id="from scratch"),
        pytest.param(250, 3.0, 1, id="resumed"),
        pytest.param(50, 2.0, 1, id="a copy"),
    ],
)
def test_numbered_or_dated_logs_of_trainings_from_scratch_are_runs(
    tmp_path: Path, names: tuple[str, str], first: int, scale: float, count: int
) -> None:
    for name, begin, top in zip(names, (50, first), (2.0, scale), strict=True):
        lines = [f"step {begin + 50 * n} loss: {top / (n + 1):.4f}\n" for n in range(4)]
        (tmp_path / name).write_text("".join(lines))
    found = Discovery([tmp_path]).scan().runs
    assert [one.path for one in found] == [tmp_path / n for n in (names if count == 2 else [""])]


@pytest.mark.parametrize("name", ["train{}.log", "rank_{}.log", "gpu{}.log", "worker-{}.out"])
def test_logs_of_the_processes_of_a_training_are_one_run(tmp_path: Path, name: str) -> None:
    for rank in range(3):
        losses = (f"step {10 * n} loss {2 + rank / 9 - n / 10}\n" for n in range(1, 9))
        write(tmp_path / name.format(rank), "".join(losses).encode())
    (run,) = Discovery([tmp_path]).scan().runs
    assert len(run.files) == 3


def test_a_missing_path_is_named_with_what_may_have_been_meant(tmp_path: Path) -> None:
    (tmp_path / "train.log").touch()
    typo, next_run = SearchPath(tmp_path / "train.lgo"), SearchPath(tmp_path / "train2.log")
    for path in (typo, next_run):
        path.refresh()
    meant = f"; did you mean {tmp_path / 'train.log'}?"
    assert typo.notes == (f"{typo.given}: does not exist yet{meant}",)
    assert next_run.notes == (f"{next_run.given}: does not exist yet",)
