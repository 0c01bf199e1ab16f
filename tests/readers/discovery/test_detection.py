"""A file is looked at once, and again only while it is too short to tell what it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.readers.discovery import detection
from lossmon.readers.discovery.detection import Detector
from lossmon.readers.discovery.found import checkpoint_step
from lossmon.readers.discovery.tree import ListedFile


def entry(path: Path) -> ListedFile:
    status = path.stat()
    return ListedFile(str(path), (status.st_dev, status.st_ino))


def test_a_recognised_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 2.0}\n')
    detector = Detector()
    first = detector.find(entry(path))
    assert first is not None
    monkeypatch.setattr(detection, "read_head", lambda path: pytest.fail("opened again"))
    assert detector.find(entry(path)) is first


def test_a_long_file_that_nothing_knows_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(b"[" + b" " * 10_000)
    detector = Detector()
    assert detector.find(entry(path)) is None
    assert not detector.changed()
    monkeypatch.setattr(detection, "read_head", lambda path: pytest.fail("opened again"))
    assert detector.find(entry(path)) is None


def test_a_line_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(b'{"step": 1, "lo')
    detector = Detector()
    assert detector.find(entry(path)) is None
    assert detector.changed()
    path.write_bytes(b'{"step": 1, "loss": 2.0}\n')
    found = detector.find(entry(path))
    assert found is not None
    assert found.format.source == "jsonl"


def test_a_document_that_was_written_this_moment_is_whole_without_a_line_break(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.json"
    detector = Detector()
    path.write_text('{"loss": [2.0, 1.5, 1.2], "val_loss": [2.1, 1.7,')
    assert detector.find(entry(path)) is None
    path.write_text('{"loss": [2.0, 1.5, 1.2], "val_loss": [2.1, 1.7, 1.6]}')
    found = detector.find(entry(path))
    assert found is not None
    assert found.format.source == "history"


def test_a_last_line_that_nobody_will_end_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(b"step 250: train loss 2.5017")
    os.utime(path, (1e9, 1e9))
    assert Detector().find(entry(path)) is not None


@pytest.mark.parametrize(
    ("directory", "tag", "sub"),
    [
        ("loss_cmp_train", b"loss_cmp", "train"),
        ("loss_cmp_my_eval", b"loss/cmp", "my_eval"),
        ("run_7", b"train/loss", ""),
        ("run", b"run", ""),
    ],
)
def test_the_directories_of_add_scalars_are_known_by_their_tag(
    tmp_path: Path, directory: str, tag: bytes, sub: str
) -> None:
    path = tmp_path / directory / "events.out.tfevents.1795220000.vm.1.0"
    path.parent.mkdir()
    path.write_bytes(bytes(30) + b"\n" + bytes([len(tag)]) + tag + b"\x15" + bytes(8))
    found = Detector().find(entry(path))
    assert found is not None
    assert found.origin.sub == sub


@pytest.mark.parametrize(
    ("name", "directory", "step"),
    [
        ("checkpoint-500", True, 500),
        ("global_step120", True, 120),
        ("iter_0001000", True, 1000),
        ("checkpoint-best", True, None),
        ("run-500", True, None),
        ("epoch=3-step=48-val_loss=0.381.ckpt", False, 48),
        ("epoch_8.pth", False, 8),
        ("iter_4000.pth", False, 4000),
        ("model_0004999.pth", False, 4999),
        ("step_1000.pt", False, 1000),
        ("last.ckpt", False, None),
        ("model.safetensors", False, None),
        ("step_1000.log", False, None),
    ],
)
def test_the_step_of_a_checkpoint_stands_in_its_name(
    name: str, directory: bool, step: int | None
) -> None:
    assert checkpoint_step(name, directory=directory) == step
