"""What is mirrored, how much is read for it, and that nothing is written elsewhere."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lossmon.monitor import Monitor, MonitorConfig
from lossmon.remote import mirror as module
from lossmon.remote.files import Enters, Follows, Listing, RemoteError, RemoteFile, is_safe
from lossmon.remote.mirror import SEAM, Mirror
from lossmon.remote.source import RemoteSource
from tests.monitor.logs import falling
from tests.services.full_disk import full_disk


class Place:
    """A place whose files a test writes."""

    def __init__(self) -> None:
        self.name = "box:/runs"
        self.files: dict[str, bytes] = {}
        self.reads: list[tuple[str, int, int]] = []
        self.broken: set[str] = set()
        self.version = 0
        self.answers = threading.Event()
        self.answers.set()

    def look(self, enters: Enters, follows: Follows) -> Listing:
        self.answers.wait()
        files = {
            path: RemoteFile(len(data), 1.7e9, str(hash(data))) for path, data in self.files.items()
        }
        directories = {path.rpartition("/")[0] for path in files if "/" in path}
        return Listing(files, tuple(directories))

    def read(self, path: str, start: int, size: int) -> bytes:
        if path in self.broken:
            raise RemoteError(f"{self.name}/{path}: Permission denied")
        self.reads.append((path, start, size))
        return self.files[path][start : start + size]

    def disconnect(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def mirror(place: Place, tmp_path: Path) -> Mirror:
    return Mirror(place, tmp_path)


def log(first: int, last: int) -> bytes:
    return "".join(falling(first, last)).encode()


LOG = "a/trainer_log.jsonl"


def test_a_log_that_grows_costs_its_new_bytes(place: Place, mirror: Mirror, tmp_path: Path) -> None:
    place.files[LOG] = log(1, 1001)
    assert mirror.update()
    before, place.files[LOG] = len(place.files[LOG]), log(1, 1011)
    place.reads.clear()
    assert mirror.update()
    assert place.reads == [(LOG, before - SEAM, len(place.files[LOG]) - before + SEAM)]
    assert (tmp_path / LOG).read_bytes() == place.files[LOG]
    place.reads.clear()
    assert not mirror.update() and place.reads == []


def test_readers_go_on_where_a_log_grew(place: Place, mirror: Mirror, tmp_path: Path) -> None:
    place.files[LOG] = log(1, 51)
    mirror.update()
    inode = (tmp_path / LOG).stat().st_ino
    place.files[LOG] = log(1, 101)
    mirror.update()
    assert (tmp_path / LOG).stat().st_ino == inode
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.step == 100


def test_a_log_that_the_disk_has_no_room_for_is_named_and_comes_later(
    place: Place, mirror: Mirror, tmp_path: Path
) -> None:
    place.files[LOG] = log(1, 101)
    mirror.update()
    place.files[LOG] = log(1, 201)
    with full_disk(len(log(1, 151))):
        mirror.update()
        assert mirror.notes == (f"box:/runs/{LOG}: not copied: File too large",)
        mirror.update()
    assert [*tmp_path.rglob("*.new")] == []
    mirror.update()
    assert mirror.notes == () and (tmp_path / LOG).read_bytes() == place.files[LOG]


@pytest.mark.parametrize("fresh", [log(500, 700), log(1, 5), b""])
def test_a_log_that_began_anew_is_read_anew(
    place: Place, mirror: Mirror, tmp_path: Path, fresh: bytes
) -> None:
    place.files[LOG] = log(1, 101)
    mirror.update()
    place.files[LOG] = fresh
    mirror.update()
    assert (tmp_path / LOG).read_bytes() == fresh


def test_a_file_that_changes_in_the_middle_is_read_as_a_whole(
    place: Place, mirror: Mirror, tmp_path: Path
) -> None:
    name = "a/trainer_state.json"
    place.files[name] = b'{"log_history": [' + b" " * 500 + b"]}"
    mirror.update()
    place.files[name] = b'{"log_history": [1' + b" " * 600 + b"]}"
    mirror.update()
    assert (tmp_path / name).read_bytes() == place.files[name]
    assert not [path for path in tmp_path.rglob("*.new")]


def test_a_file_that_is_gone_goes(place: Place, mirror: Mirror, tmp_path: Path) -> None:
    place.files[LOG] = log(1, 11)
    mirror.update()
    del place.files[LOG]
    assert mirror.update()
    assert not (tmp_path / LOG).exists()


def test_weights_are_not_read_and_checkpoints_are_known(
    place: Place, mirror: Mirror, tmp_path: Path
) -> None:
    place.files |= {
        LOG: log(1, 101),
        "a/checkpoint-50/model.safetensors": b"x" * 10_000,
        "a/checkpoint-50/trainer_state.json": b'{"log_history": []}',
        "a/model_0000050.pth": b"x" * 10_000,
        "a/data.parquet": b"x" * 10_000,
        "a/args.yaml": b"lr: 1\n",
        "a/.lossmon/hardware-gpu01.jsonl": b"{}\n",
    }
    mirror.update()
    read = {path for path, _, _ in place.reads}
    assert read == {
        LOG,
        "a/args.yaml",
        "a/checkpoint-50/trainer_state.json",
        "a/.lossmon/hardware-gpu01.jsonl",
    }
    (run,) = Monitor([tmp_path]).drain().runs
    assert run.checkpoints


def test_a_file_that_cannot_be_read_costs_itself(
    place: Place, mirror: Mirror, tmp_path: Path
) -> None:
    place.files |= {LOG: log(1, 11), "b/trainer_log.jsonl": log(1, 11)}
    place.broken.add(LOG)
    mirror.update()
    assert mirror.notes == (f"box:/runs/{LOG}: Permission denied",)
    assert (tmp_path / "b" / "trainer_log.jsonl").exists()
    place.broken.clear()
    mirror.update()
    assert mirror.notes == () and (tmp_path / LOG).exists()


def test_a_place_that_has_not_answered_yet_is_said_to_be_connected(place: Place) -> None:
    place.answers.clear()
    source = RemoteSource(place, MonitorConfig(), threading.Event())
    try:
        assert source.poll(0.0).notes == ("connecting to box:/runs",)
        place.answers.set()
        assert source.drain().notes == ()
    finally:
        place.answers.set()
        source.stop()


def test_what_is_too_large_is_told(
    place: Place, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE", 100)
    place.files[LOG] = log(1, 101)
    mirror.update()
    assert place.reads == [] and "too large" in mirror.notes[0]


def test_a_place_that_is_a_file(place: Place, mirror: Mirror, tmp_path: Path) -> None:
    place.name = "box:/runs/train.log"
    place.files = {"": b"step 1 loss 2.0\n"}
    mirror.update()
    assert mirror.target == tmp_path / "train.log"
    place.files = {"": b"step 1 loss 2.0\nstep 2 loss 1.5\n"}
    mirror.update()
    assert mirror.target.read_bytes() == place.files[""]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_a_name_that_leads_elsewhere_is_not_taken(name: str) -> None:
    assert not is_safe(name)
