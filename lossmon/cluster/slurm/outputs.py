"""Files that a Slurm job writes its output to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from lossmon.cluster.slurm.jobs import SlurmJob

_PATTERN = re.compile(r"%(?:%|(\d{0,4})([AaJjNnstuxbh]))")

_DEFAULT = re.compile(r"slurm-(?:\d+|%j)\.out")

MOST_FILES = 512
"""Files of one job that are followed: one per task where it asked for that."""


def outputs(job: SlurmJob) -> list[Path]:
    """The output files of a job that are there, its standard output first."""
    found: dict[Path, None] = {}
    # Some versions say nothing where the user gave no name.
    stdout = job.stdout or "slurm-%j.out"
    for spelled in (_spelled(job, stdout), _spelled(job, job.stderr)):
        if spelled:
            found.update(dict.fromkeys(_existing(job, spelled)))
    return list(found)[:MOST_FILES]


def expected(job: SlurmJob) -> list[Path]:
    """The output files of a job that are there, or else the one that will be."""
    if found := outputs(job):
        return found
    path = _expanded(job, _spelled(job, job.stdout or "slurm-%j.out"))
    return [Path(path)] if path and "\0" not in path and "[" not in job.job.id else []


def _spelled(job: SlurmJob, path: str) -> str:
    """Path as the user spelled it; empty for none and for a device."""
    if not path or path.startswith("/dev/"):
        return ""
    directory, name = os.path.split(path)
    if "_" in job.job.id and _DEFAULT.fullmatch(name):
        # Where the user said nothing some versions give the name that a single job would have.
        name = "slurm-%A_%a.out"
    return os.path.join(job.directory, directory, name)


def _existing(job: SlurmJob, spelled: str) -> Iterator[Path]:
    """The file, or those of every task and node where the name has a place for them."""
    directory, name = os.path.split(_expanded(job, spelled))
    if "\0" not in name:
        path = Path(directory, name)
        if path.is_file():
            yield path
        return
    wanted = re.compile(".*?".join(re.escape(part) for part in name.split("\0")))
    try:
        with os.scandir(directory) as entries:
            found = sorted(entry.name for entry in entries if wanted.fullmatch(entry.name))
    except (OSError, ValueError):
        return
    yield from (Path(directory, one) for one in found)


def _expanded(job: SlurmJob, spelled: str) -> str:
    """Put the values of a job in the place of its patterns, and NUL for what differs by task."""
    array, _, task = job.job.id.partition("_")
    values = {
        "A": array,
        "a": task,
        "j": job.number,
        "J": job.number,
        "x": job.job.name.replace("/", "_"),
        "u": job.job.user,
        "s": "batch",
    }
    if "\\" in spelled:
        # A backslash takes the meaning from all patterns.
        return spelled.replace("\\", "")

    def value(match: re.Match[str]) -> str:
        if match[2] is None:
            return "%"
        text = values.get(match[2], "\0")
        width = int(match[1] or 0)
        return text.zfill(min(width, 10)) if text.isdecimal() else text

    return _PATTERN.sub(value, spelled)
