from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lossmon.nodes.follower import FORGOTTEN, GRACE, HISTORY, NodeFollower
from lossmon.nodes.journal import Journal, path_of
from lossmon.nodes.samples import NodeSample, encode
from lossmon.types import GpuReading, Job, NodeReading

Write = Callable[..., None]
NOW = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def write(tmp_path: Path, clock: Clock) -> Write:
    def write(host: str, used: float = 90.0, *, skew: float = 0.0, job: str = "") -> None:
        reading = NodeReading(
            host,
            clock.now + skew,
            (GpuReading(0, "GPU", used),),
            job=Job("Slurm", job) if job else None,
        )
        Journal(path_of(tmp_path, host)).append(encode(NodeSample(reading, 10.0)))

    return write


def follow(tmp_path: Path, clock: Clock) -> Callable[[], tuple[NodeReading, ...]]:
    follower = NodeFollower(tmp_path, clock)

    def read() -> tuple[NodeReading, ...]:
        clock.advance(10.0)
        return follower.read(clock.now)

    return read


def test_every_node_is_followed_and_a_new_one_joins(
    tmp_path: Path, clock: Clock, write: Write
) -> None:
    read = follow(tmp_path, clock)
    assert read() == ()
    write("gpu1", 10.0)
    assert [node.name for node in read()] == ["gpu1"]
    write("gpu1", 20.0)
    write("gpu2", 30.0)
    first, second = read()
    assert (first.name, second.name) == ("gpu1", "gpu2")
    assert first.gpus[0].utilization_history == (10.0, 20.0)


def test_nothing_new_gives_the_very_same_nodes(tmp_path: Path, clock: Clock, write: Write) -> None:
    read = follow(tmp_path, clock)
    write("gpu1")
    before = read()
    assert read() is before


def test_a_node_that_falls_silent_is_stale_and_comes_back(
    tmp_path: Path, clock: Clock, write: Write
) -> None:
    read = follow(tmp_path, clock)
    write("gpu1")
    assert not read()[0].stale
    clock.advance(GRACE)
    assert read()[0].stale
    write("gpu1")
    assert not read()[0].stale


@pytest.mark.parametrize("skew", [-3600.0, 3600.0])
def test_a_clock_that_differs_makes_no_node_stale_that_is_seen_to_record(
    tmp_path: Path, clock: Clock, write: Write, skew: float
) -> None:
    read = follow(tmp_path, clock)
    write("gpu1", skew=skew)
    read()
    write("gpu1", skew=skew)
    assert not read()[0].stale
    clock.advance(GRACE)
    assert read()[0].stale


def test_the_node_of_an_earlier_job_is_left_out(tmp_path: Path, clock: Clock, write: Write) -> None:
    write("old", job="1")
    clock.advance(FORGOTTEN / 2)
    write("new", job="2")
    assert [node.name for node in follow(tmp_path, clock)()] == ["new"]


def test_the_stale_node_of_the_same_job_stays(tmp_path: Path, clock: Clock, write: Write) -> None:
    write("dead", job="1")
    clock.advance(600.0)
    write("alive", job="1")
    assert [(n.name, n.stale) for n in follow(tmp_path, clock)()] == [
        ("dead", True),
        ("alive", False),
    ]


def test_a_rotated_file_is_followed_on(tmp_path: Path, clock: Clock, write: Write) -> None:
    read = follow(tmp_path, clock)
    write("gpu1", 1.0)
    read()
    path = path_of(tmp_path, "gpu1")
    path.rename(f"{path}.1")
    write("gpu1", 2.0)
    assert read()[0].gpus[0].utilization_history == (1.0, 2.0)


def test_of_a_long_file_the_end_is_read(tmp_path: Path, clock: Clock, write: Write) -> None:
    write("gpu1", 1.0)
    path = path_of(tmp_path, "gpu1")
    line = path.read_bytes()
    path.write_bytes(line * 5000)
    write("gpu1", 2.0)
    history = follow(tmp_path, clock)()[0].gpus[0].utilization_history
    assert history == (1.0,) * (HISTORY - 1) + (2.0,)


def test_a_half_written_line_waits_for_its_end(tmp_path: Path, clock: Clock, write: Write) -> None:
    read = follow(tmp_path, clock)
    write("gpu1", 1.0)
    read()
    path = path_of(tmp_path, "gpu1")
    line = path.read_bytes()
    with path.open("ab") as file:
        file.write(line[:20])
    before = read()
    assert before[0].gpus[0].utilization_history == (1.0,)
    with path.open("ab") as file:
        file.write(line[20:])
    assert read()[0].gpus[0].utilization_history == (1.0, 1.0)


def test_what_is_not_a_sample_costs_itself_only(tmp_path: Path, clock: Clock, write: Write) -> None:
    write("gpu1", 1.0)
    directory = tmp_path / ".lossmon"
    (directory / "hardware-junk.jsonl").write_bytes(b"\0\xff{}\n" * 100)
    (directory / "hardware-dir.jsonl").mkdir()
    (directory / "hardware-link.jsonl").symlink_to("/dev/zero")
    (directory / "hardware-other.jsonl").write_text(json.dumps({"v": 9}) + "\n")
    assert [node.name for node in follow(tmp_path, clock)()] == ["gpu1"]


def test_a_run_without_recorders_costs_one_listing_per_interval(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lossmon.nodes.follower as module

    listed: list[Any] = []
    real = module.os.scandir
    monkeypatch.setattr(module.os, "scandir", lambda path: (listed.append(path), real(path))[1])
    follower = NodeFollower(tmp_path, clock)
    for _ in range(100):
        clock.advance(0.1)
        follower.read(clock.now)
    assert len(listed) == 1
