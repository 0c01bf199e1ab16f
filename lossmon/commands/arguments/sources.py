"""Sources of the runs that the user names: by paths, by addresses, and by jobs."""

from __future__ import annotations

import argparse
import os
import shutil
import threading
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from lossmon.commands.arguments.inputs import existing, must_answer
from lossmon.commands.arguments.parsing import SCHEMES, Address, Location
from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.filesystems import PathLook, silent_mounts

if TYPE_CHECKING:
    from lossmon.cluster.slurm.jobs import SlurmJob
    from lossmon.monitor import RunSource


class _Opener(Protocol):
    def open_source(self, address: str, config: Config, changed: threading.Event) -> RunSource:
        """Make a source of what an address names."""
        ...


def open_source(
    locations: Sequence[Location],
    config: Config,
    *,
    hardware: bool,
    wait: bool = False,
    late: Collection[Path] | None = None,
) -> RunSource:
    """Make one source of everything that the user named.

    Args:
        hardware: Sample this machine, where there are paths.
        wait: A path that is missing is waited for, if the directory that it will be in exists.
        late: Paths whose file system is known not to answer; see `existing`.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    changed = threading.Event()
    sources = sources_of(locations, config, changed, hardware=hardware, wait=wait, late=late)
    if len(sources) == 1:
        return sources[0]
    from lossmon.monitor.merged_source import MergedSource

    return MergedSource(sources, changed)


def sources_of(
    locations: Sequence[Location],
    config: Config,
    changed: threading.Event,
    *,
    hardware: bool,
    wait: bool = False,
    late: Collection[Path] | None = None,
) -> list[RunSource]:
    """One source of all paths, and one per address; each sets the event. See `open_source`.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    from lossmon.monitor import LocalSource, MonitorConfig

    paths = existing([one for one in locations if isinstance(one, Path)], wait=wait, late=late)
    sources: list[RunSource] = []
    if paths:
        settings = MonitorConfig.of(config)
        sources.append(LocalSource(paths, settings, hardware=hardware, changed=changed))
    for address in (one for one in locations if isinstance(one, Address)):
        opener = cast(_Opener, import_module(SCHEMES[address.scheme]))
        sources.append(opener.open_source(address, config, changed))
    return sources


def checked(locations: Sequence[Location], config: Config) -> list[Path | RunSource]:
    """What reports judge one after the other: paths as they are, addresses as sources.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    existing([one for one in locations if isinstance(one, Path)])
    return [
        one if isinstance(one, Path) else open_source([one], config, hardware=False)
        for one in dict.fromkeys(locations)
    ]


def patient(source: RunSource, paths: Sequence[Path], looks: Sequence[PathLook] = ()) -> RunSource:
    """A source that does not hang with a network file system, where there is one.

    Args:
        source: Where the runs come from.
        paths: Their paths on this machine.
        looks: Looks that have not been answered: the source is not asked before.
    """
    mounts = silent_mounts(paths)
    if not mounts:
        return source
    from lossmon.monitor.patient_source import PatientSource

    names = ", ".join(f"{point} ({kind})" for point, kind in mounts)
    return PatientSource(source, names, looks=looks)


VARIABLES = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "KUBERNETES_SERVICE_HOST")
"""Variables that a scheduler sets in a job."""

ON_NODES = "lossmon record shows its nodes"
"""Said of the hardware of a job, which this machine does not have."""


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name jobs of Slurm."""
    group = parser.add_argument_group("Slurm")
    group.add_argument(
        "--job",
        action="append",
        default=[],
        metavar="ID",
        help="the output of a job, by the id of a job or an array, or by its name",
    )
    group.add_argument(
        "--jobs",
        action="store_true",
        help="the output of each of your jobs, also of those that start later",
    )


def named_jobs(options: argparse.Namespace) -> list[SlurmJob]:
    """The jobs that the user named; of `--jobs` those that there are now.

    Raises:
        ConfigError: Slurm is not installed here.
        SlurmError: It does not answer, or knows no such job.
    """
    if not options.job and not options.jobs:
        return []
    from lossmon.cluster.slurm.commands import Slurm, SlurmError, is_installed

    if not is_installed():
        raise ConfigError("--job and --jobs need Slurm's commands, which are not installed here")
    slurm = Slurm()
    found = slurm.mine() if options.jobs else []
    for one in options.job:
        jobs = slurm.job(one) if one.partition("_")[0].isdecimal() else slurm.named(one)
        if not jobs:
            raise SlurmError(f"none of your jobs is called {one}")
        found += jobs
    return sorted(found, key=lambda job: _natural(job.job.id))


def _natural(identity: str) -> list[int]:
    """Order of the tasks of an array by their numbers."""
    return [int(part) if part.isdecimal() else -1 for part in identity.split("_")]


def open_jobs(
    locations: Sequence[Location],
    jobs: Sequence[SlurmJob],
    config: Config,
    *,
    hardware: bool,
    follow: bool,
    wait: bool = False,
    late: Collection[Path] | None = None,
) -> RunSource:
    """Make one source of what the user named and of what jobs write.

    Args:
        jobs: Jobs whose outputs are watched too, those of waiting jobs as well.
        hardware: Sample this machine, where there are paths.
        follow: Watch the outputs of jobs of the user that start later.
        wait: A path that is missing is waited for, if the directory that it will be in exists.
        late: Paths whose file system is known not to answer; see `existing`.

    Raises:
        ConfigError: A path is not there, or an address cannot be opened.
    """
    from lossmon.cluster.slurm.commands import Queue, is_installed
    from lossmon.cluster.slurm.jobs import expected
    from lossmon.cluster.source import JobSource
    from lossmon.monitor import LocalSource, MonitorConfig
    from lossmon.monitor.merged_source import MergedSource

    changed = threading.Event()
    settings = MonitorConfig.of(config)
    known: set[Path] = set()

    def output_source(paths: Sequence[Path]) -> LocalSource | None:
        fresh = [path for path in dict.fromkeys(paths) if path not in known]
        known.update(fresh)
        if not fresh:
            return None
        return LocalSource(fresh, settings, hardware=False, changed=changed, unsampled=ON_NODES)

    must_answer(directories(jobs))
    sources = sources_of(locations, config, changed, hardware=hardware, wait=wait, late=late)
    written = output_source([path for job in jobs for path in expected(job)])
    merged = MergedSource([*sources, *([written] if written else [])], changed)

    def add(paths: Sequence[Path]) -> None:
        if (source := output_source(paths)) is not None:
            merged.add(source)

    queue = Queue() if is_installed() else None
    return JobSource(merged, queue, os.environ, jobs, add if follow else None)


def directories(jobs: Sequence[SlurmJob]) -> list[Path]:
    """Where jobs work, each directory once."""
    return [*dict.fromkeys(Path(job.directory) for job in jobs if job.directory)]


def has_jobs() -> bool:
    """Whether this machine has a scheduler, or this process runs in a job of one."""
    return shutil.which("squeue") is not None or any(name in os.environ for name in VARIABLES)
