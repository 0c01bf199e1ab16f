"""The files of one run: their order, their scopes, and which of them only repeat others."""

from __future__ import annotations

import os
import re
from dataclasses import field, replace

from lossmon.fast_dataclass import dataclass
from lossmon.readers.discovery.detection import GENERIC, DetectedFile
from lossmon.readers.run_directories import CHECKPOINT, event_time
from lossmon.readers.tags.spellings import EVAL_WORDS, TEST_WORDS

TEXT_RANK = 90
"""Rank of text logs: they accompany a run rather than being one."""

_ROTATED = re.compile(r"(.+\.(?:log|out|err|txt|jsonl))\.([0-9]{1,4})")

_DVCLIVE = "/plots/metrics"
"""Below it DVCLive keeps a table a metric, in directories named after the parts of its name."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a run.

    Attributes:
        claim: What it is.
        scope: Sub-run inside the run, or empty.
        part: Key of the run in a file that holds several, or empty.
    """

    claim: DetectedFile
    scope: str = ""
    part: str = ""


@dataclass(slots=True)
class Group:
    """The files of one run.

    Attributes:
        path: Its own directory or file.
        members: Its files.
    """

    path: str
    members: list[Member] = field(default_factory=list)

    @property
    def only_text(self) -> bool:
        """Whether it is nothing but text logs."""
        return all(member.claim.format.rank >= TEXT_RANK for member in self.members)

    @property
    def sources(self) -> frozenset[str]:
        """Format families in it, text logs apart."""
        formats = (member.claim.format for member in self.members)
        return frozenset(one.source for one in formats if one.rank < TEXT_RANK)


def scoped(member: Member, members: list[Member]) -> Member:
    """Let the file name say which split a table holds whose columns do not: `val.csv`.

    A lone `test.csv` may be somebody's test of a training; beside a `train.csv` it is not.
    """
    directory, name = os.path.split(member.claim.path)
    source = member.claim.format.source
    if member.scope or source not in GENERIC:
        return member
    if (plots := directory.rfind(_DVCLIVE)) >= 0:
        return replace(member, scope=directory[plots + len(_DVCLIVE) :].strip("/"))
    words = [word for word in re.split(r"[-_.]", name.lower()) if word in EVAL_WORDS]
    alone = not any(
        other is not member
        and other.claim.format.source == source
        and os.path.dirname(other.claim.path) == directory
        for other in members
    )
    if not words or (alone and words[0] in TEST_WORDS):
        return member
    return replace(member, scope=words[0])


def without_repeats(members: list[Member]) -> list[Member]:
    """Drop what says the same again: older states of one Trainer, mmengine's twin files."""
    newest = -1
    names = {member.claim.path for member in members}
    for member in members:
        newest = max(newest, _state_step(member.claim.path))
    states = [path for path in names if os.path.basename(path) == "trainer_state.json"]
    at_root = any(_state_step(path) < 0 for path in states)
    kept = []
    for member in members:
        directory, name = os.path.split(member.claim.path)
        step = _state_step(member.claim.path)
        if step >= 0 and (at_root or step < newest):
            continue
        twin = os.path.basename(directory) == "vis_data" and name.endswith(".json")
        if twin and name != "scalars.json" and os.path.join(directory, "scalars.json") in names:
            continue
        kept.append(member)
    return kept


def _state_step(path: str) -> int:
    """Step of the checkpoint that a trainer state lies in, -1 where it lies in none."""
    directory, name = os.path.split(path)
    above = os.path.basename(directory)
    if name != "trainer_state.json" or CHECKPOINT.match(above) is None:
        return -1
    return int(re.sub(r"\D", "", above))


def ordered(members: list[Member]) -> list[Member]:
    """The better source first; files of one source in the order in which they were begun."""

    def key(member: Member) -> tuple[int, int, list[str | int], int]:
        path = member.claim.path
        plain, turns = _unrotated(path)
        return member.claim.format.rank, event_time(os.path.basename(path)), _natural(plain), -turns

    return sorted(members, key=key)


def _unrotated(path: str) -> tuple[str, int]:
    """Name of a log before it was rotated, and how often it was: `train.log.2` is the oldest."""
    found = _ROTATED.fullmatch(path)
    return (found[1], int(found[2])) if found else (path, 0)


def _natural(path: str) -> list[str | int]:
    """Sorts `slurm-99.out` before `slurm-100.out`: text and numbers take turns."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", path)]
