"""Processors, memory and disk: of the machine, or of the container that limits us."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest

from lossmon.hardware.host import Cgroup, Host, disk

GIB = 1 << 30
Times = namedtuple("Times", "user system idle iowait guest")


class FakeMachine:
    """What psutil says of a machine of 64 cores, each of them busy for so many seconds."""

    def __init__(self) -> None:
        self.busy = [0.0] * 64
        self.now = 0.0

    def cpu_times(self, percpu: bool) -> list[Times]:
        assert percpu
        return [Times(busy, 0.0, self.now - busy - 0.1, 0.1, 0.0) for busy in self.busy]

    def virtual_memory(self) -> SimpleNamespace:
        return SimpleNamespace(total=500 * GIB, available=400 * GIB)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))
    return FakeMachine()


def groups(root: Path, membership: str, **files: str) -> Cgroup:
    """Return control groups of which we are told so; keys are paths with `__` for a slash."""
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(membership)
    for name, text in files.items():
        path = root / "cgroup" / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Cgroup(root / "proc", root / "cgroup")


def test_cpu_is_the_share_of_the_cores_that_we_may_use(
    machine: FakeMachine, tmp_path: Path
) -> None:
    host = Host(groups(tmp_path, ""), machine)
    assert host.sample(0.0).cpu is None, "one sample is no rate"
    machine.busy = [0.5, 0.5, 1.0, 0.0] + [1.0] * 60
    reading = host.sample(1.0)
    assert reading.cpu == pytest.approx(50.0)
    assert reading.cpu_count == 4


def test_a_second_look_at_once_repeats_the_share(machine: FakeMachine, tmp_path: Path) -> None:
    host = Host(groups(tmp_path, ""), machine)
    host.sample(0.0)
    machine.busy = [1.0] * 64
    assert host.sample(1.0).cpu == pytest.approx(100.0)
    assert host.sample(1.01).cpu == pytest.approx(100.0)


def test_memory_in_use_is_what_is_not_available(machine: FakeMachine, tmp_path: Path) -> None:
    reading = Host(groups(tmp_path, ""), machine).sample(0.0)
    assert (reading.memory_used, reading.memory_total) == (100 * GIB, 500 * GIB)


def test_a_container_of_version_2_shows_its_own_limits(
    machine: FakeMachine, tmp_path: Path
) -> None:
    files = {
        "cgroup_DOT_controllers": "cpu memory",
        "cpu_DOT_max": "150000 100000\n",
        "cpu_DOT_stat": "usage_usec 1000000\nuser_usec 1\n",
        "memory_DOT_max": f"{8 * GIB}\n",
        "memory_DOT_current": f"{5 * GIB}\n",
        "memory_DOT_stat": f"anon 1\ninactive_file {2 * GIB}\n",
    }
    host = Host(groups(tmp_path, "0::/\n", **files), machine)
    reading = host.sample(0.0)
    assert (reading.memory_used, reading.memory_total) == (3 * GIB, 8 * GIB)
    assert reading.cpu_count == 2, "one core and a half"
    (tmp_path / "cgroup" / "cpu.stat").write_text("usage_usec 1750000\n")
    assert host.sample(1.0).cpu == pytest.approx(50.0)


def test_a_job_is_bound_by_the_tightest_group_above_it(
    machine: FakeMachine, tmp_path: Path
) -> None:
    files = {
        "cgroup_DOT_controllers": "cpu memory",
        "slurm__cpu_DOT_max": "200000 100000",
        "slurm__memory_DOT_max": f"{16 * GIB}",
        "slurm__memory_DOT_current": f"{4 * GIB}",
        "slurm__job__cpu_DOT_max": "max 100000",
        "slurm__job__memory_DOT_max": "max",
        "slurm__job__memory_DOT_current": "1",
    }
    cgroup = groups(tmp_path, "0::/slurm/job\n", **files)
    assert cgroup.cores() == 2.0
    assert cgroup.memory() == (4 * GIB, 16 * GIB)


def test_a_container_of_version_1_shows_its_own_limits(
    machine: FakeMachine, tmp_path: Path
) -> None:
    files = {
        "cpu,cpuacct__cpu_DOT_cfs_quota_us": "300000",
        "cpu,cpuacct__cpu_DOT_cfs_period_us": "100000",
        "cpu,cpuacct__cpuacct_DOT_usage": "2000000000",
        "memory__memory_DOT_limit_in_bytes": f"{32 * GIB}",
        "memory__memory_DOT_usage_in_bytes": f"{10 * GIB}",
        "memory__memory_DOT_stat": f"cache 5\ntotal_inactive_file {GIB}\n",
    }
    # The path is the host's; what is mounted is the container's own group.
    membership = "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n1:name=systemd:/\n"
    cgroup = groups(tmp_path, membership, **files)
    assert cgroup.cores() == 3.0
    assert cgroup.cpu_seconds() == 2.0
    assert cgroup.memory() == (9 * GIB, 32 * GIB)


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        pytest.param("", {}, id="none"),
        pytest.param("0::/\n", {"cgroup_DOT_controllers": ""}, id="no files"),
        pytest.param(
            "3:memory:/\n2:cpu:/\n",
            {
                "memory__memory_DOT_limit_in_bytes": "9223372036854771712",
                "memory__memory_DOT_usage_in_bytes": "1",
                "cpu__cpu_DOT_cfs_quota_us": "-1",
                "cpu__cpu_DOT_cfs_period_us": "100000",
            },
            id="version 1 without limits",
        ),
        pytest.param(
            "0::/../..\nnonsense\n5:\n",
            {
                "cgroup_DOT_controllers": "",
                "cpu_DOT_max": "many few",
                "memory_DOT_max": "much",
            },
            id="nonsense",
        ),
    ],
)
def test_without_a_limit_the_machine_counts(
    machine: FakeMachine, tmp_path: Path, membership: str, files: dict[str, str]
) -> None:
    cgroup = groups(tmp_path, membership, **files)
    assert cgroup.cores() is None
    assert cgroup.cpu_seconds() is None
    assert cgroup.memory() is None
    assert Host(cgroup, machine).sample(0.0).memory_total == 500 * GIB


def test_a_limit_above_the_machines_memory_is_none(machine: FakeMachine, tmp_path: Path) -> None:
    files = {
        "cgroup_DOT_controllers": "",
        "memory_DOT_max": f"{900 * GIB}",
        "memory_DOT_current": "1",
    }
    host = Host(groups(tmp_path, "0::/\n", **files), machine)
    assert host.sample(0.0).memory_total == 500 * GIB


def test_this_very_machine_can_be_sampled() -> None:
    host = Host()
    host.sample(0.0)
    reading = host.sample(1.0)
    assert reading.name
    assert reading.cpu is not None and 0 <= reading.cpu <= 100
    assert reading.memory_used is not None and reading.memory_total is not None
    assert 0 < reading.memory_used < reading.memory_total


def test_the_disk_is_that_of_a_directory_that_may_not_exist_yet(tmp_path: Path) -> None:
    space = disk([str(tmp_path / "not" / "yet")])
    assert space is not None
    free, total = space
    assert 0 < free < total
    assert total == disk([str(tmp_path)])[1]  # type: ignore[index]


def test_without_a_path_there_is_no_disk() -> None:
    assert disk([]) is None
