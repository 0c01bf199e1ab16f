"""Local runs as a source: little is imported first, the bell rings for every file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.monitor.source import LazySampler, LocalSource, _gpu_devices
from lossmon.watch import Watch
from tests.monitor.logs import append, falling


@pytest.fixture
def output(tmp_path: Path) -> Path:
    log = tmp_path / "deep" / "er" / "trainer_log.jsonl"
    log.parent.mkdir(parents=True)
    append(log, falling(1, 21))
    return tmp_path


@pytest.fixture
def source(output: Path) -> Iterator[LocalSource]:
    source = LocalSource([output], hardware=False)
    yield source
    source.stop()


def settled(source: LocalSource) -> None:
    while source.poll(1.0).busy:
        pass


def test_a_file_far_below_the_path_rings_the_bell(source: LocalSource, output: Path) -> None:
    settled(source)
    source.begin()
    settled(source)
    source.changed.clear()
    append(output / "deep" / "er" / "trainer_log.jsonl", falling(21, 22))
    assert source.changed.wait(10)


def test_a_run_that_writes_all_the_time_is_read_without_events(
    source: LocalSource, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(Watch, "pause", lambda watch: calls.append("pause"))
    monkeypatch.setattr(Watch, "resume", lambda watch: calls.append("resume"))
    monkeypatch.setattr("lossmon.monitor.source.OFTEN", 60.0)
    settled(source)
    source.begin()
    source.poll(1.0)
    calls.clear()
    for step in range(21, 27):
        append(output / "deep" / "er" / "trainer_log.jsonl", falling(step, step + 1))
        settled(source)
    assert calls == ["pause"]
    settled(source)
    assert calls == ["pause", "resume"]


def test_a_flood_of_events_is_not_listened_to(
    source: LocalSource, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    settled(source)
    source.begin()
    settled(source)
    source.changed.clear()
    monkeypatch.setattr(Watch, "pause", lambda watch: calls.append("pause"))
    monkeypatch.setattr(Watch, "resume", lambda watch: calls.append("resume"))
    monkeypatch.setattr("lossmon.monitor.source.FLOOD", 0)
    append(output / "deep" / "er" / "trainer_log.jsonl", falling(21, 22))
    assert source.changed.wait(10)
    settled(source)
    settled(source)
    assert calls
    assert set(calls) == {"pause"}


def test_nothing_new_gives_the_very_same_snapshot(source: LocalSource) -> None:
    settled(source)
    assert source.poll(1.0) is source.poll(1.0)


def test_why_changes_come_late_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "later"
    source = LocalSource([missing], hardware=False)
    try:
        source.poll(1.0)
        source.begin()
        first, second = source.poll(1.0), source.poll(1.0)
    finally:
        source.stop()
    assert any(str(missing) in note for note in first.notes)
    assert first is second


def test_nothing_begins_after_the_end(source: LocalSource) -> None:
    before = threading.active_count()
    source.stop()
    source.begin()
    assert threading.active_count() == before


def test_the_sampler_is_empty_and_calm_before_it_starts(tmp_path: Path) -> None:
    sampler = LazySampler([tmp_path], threading.Event())
    sampler.idle = True
    assert sampler.idle
    assert sampler.latest is sampler.latest
    assert sampler.latest.gpus == ()
    sampler.stop()


def test_the_gpus_to_expect_are_counted_by_their_device_nodes(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidia-uvm", "nvidiactl", "null"):
        (tmp_path / name).touch()
    assert _gpu_devices(tmp_path) == 2
    assert _gpu_devices(tmp_path / "missing") == 0


def test_why_the_hardware_is_not_sampled_is_said(output: Path) -> None:
    assert "--no-hardware" in LocalSource([output], hardware=False).poll(1.0).hardware.note
    source = LocalSource([output], hardware=False, unsampled="elsewhere")
    assert source.poll(1.0).hardware.note == "elsewhere"
