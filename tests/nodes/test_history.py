"""Histories of GPUs from the files of recorders, and how they reach the hardware view."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lossmon.nodes.follower import RunNodes
from lossmon.nodes.journal import Journal, path_of
from lossmon.nodes.samples import MOST, NodeSample, encode, gpu_histories
from lossmon.types import GpuReading, NodeReading, RunSnapshot, RunState, Snapshot
from lossmon.ui.state.hardware_timeline import HardwareTimeline

NOW = 1_700_000_000.0


def line(at: int, load: float | None = None) -> bytes:
    load = float(at % 100) if load is None else load
    gpus = tuple(GpuReading(index, "H100", load, index << 30, 80 << 30) for index in (0, 1))
    return encode(NodeSample(NodeReading("a", NOW + 10 * at, gpus), 10.0))


def record(run: Path, samples: int) -> Path:
    path = path_of(run, "a")
    path.parent.mkdir()
    path.write_bytes(b"".join(map(line, range(samples))))
    return path


def test_a_history_goes_back_over_the_rotated_file(tmp_path: Path) -> None:
    path = record(tmp_path, 3)
    path.rename(f"{path}.1")
    Journal(path).append(line(3))
    first, second = gpu_histories(tmp_path, "a")
    assert first.times.tolist() == [NOW, NOW + 10, NOW + 20, NOW + 30]
    assert first.utilization.tolist() == [0, 1, 2, 3]
    assert second.index == 1 and second.memory_share == pytest.approx([1.25] * 4)


def test_a_long_history_is_thinned_from_end_to_end(tmp_path: Path) -> None:
    record(tmp_path, 10 * MOST)
    times = gpu_histories(tmp_path, "a")[0].times
    assert MOST <= len(times) <= 2 * MOST
    assert times[0] == NOW and times[-1] >= NOW + 10 * (10 * MOST - 20)
    assert np.all(np.diff(times) > 0)


def test_what_is_not_a_journal_has_no_history(tmp_path: Path) -> None:
    assert gpu_histories(tmp_path, "a") == ()
    path = record(tmp_path, 0)
    path.write_bytes(b"{\n[1]\nnull\n\xff\xfe" + line(1)[:40])
    assert gpu_histories(tmp_path, "a") == ()
    path.unlink()
    os.mkfifo(path)
    assert gpu_histories(tmp_path, "a") == ()


def test_only_the_run_in_view_has_histories(tmp_path: Path) -> None:
    record(tmp_path, 4)
    run = RunSnapshot("run", tmp_path, ("jsonl",), RunState.RUNNING)
    nodes = RunNodes([tmp_path])
    assert nodes.added([run], NOW)[0].nodes[0].histories == ()
    [shown] = nodes.added([run], NOW, tmp_path)
    assert len(shown.nodes[0].histories) == 2
    assert nodes.added([run], NOW)[0] is shown


def test_the_timeline_begins_with_what_was_recorded(tmp_path: Path) -> None:
    record(tmp_path, 5)
    run = RunSnapshot("run", tmp_path, ("jsonl",), RunState.RUNNING)
    [shown] = RunNodes([tmp_path]).added([run], NOW + 60, tmp_path)
    timeline = HardwareTimeline()
    snapshot = Snapshot(time=NOW + 60, runs=(shown,))
    timeline.update(snapshot, shown)
    later = replace(shown, nodes=tuple(replace(one, time=NOW + 90) for one in shown.nodes))
    timeline.update(replace(snapshot, runs=(later,)), later)
    first, _ = timeline.tracks(snapshot, later)
    assert first.load[0].tolist() == [NOW + 10 * at for at in (0, 1, 2, 3, 4, 9)]
    assert first.load[1].tolist() == [0, 1, 2, 3, 4, 4]
