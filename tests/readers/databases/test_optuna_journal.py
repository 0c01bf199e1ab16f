"""Optuna's journal: all studies and trials in one file, told apart while it grows."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from lossmon.readers.databases.optuna_journal import OptunaJournal
from tests.readers.growing import DATA, Collected, read, read_whole

SAMPLE = (DATA / "optuna" / "two_studies.log").read_bytes()
KEYS = [
    f"study {study}" + end for study in (0, 1) for end in ("", *(f" trial {n}" for n in range(6)))
]


def whole(path: Path) -> dict[str, Collected]:
    """What readers give that come when all is written."""
    journal = OptunaJournal(path)
    return {key: read_whole(journal.open(key)) for key in KEYS}


class Watched:
    """Readers of every study and trial of one journal, and what they gave."""

    def __init__(self, path: Path) -> None:
        self.journal = OptunaJournal(path)
        self.readers = {key: self.journal.open(key) for key in KEYS}
        self.collected = {key: Collected() for key in KEYS}

    def read(self, keys: list[str]) -> None:
        for key in keys:
            self.collected[key].add(read(self.readers[key]))

    def assert_as(self, path: Path) -> None:
        self.read(KEYS)
        for key, said in whole(path).items():
            assert self.collected[key].series == said.series, key
            assert self.collected[key].finished == said.finished, key


@pytest.mark.parametrize("seed", range(8))
def test_however_it_is_cut_and_whoever_reads_when_the_same_points_come_out(
    seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(b"")
    dice = random.Random(seed)
    watched = Watched(path)
    cuts = sorted(dice.sample(range(len(SAMPLE)), 60))
    start = 0
    for cut in [*cuts, len(SAMPLE)]:
        with path.open("ab") as file:
            file.write(SAMPLE[start:cut])
        start = cut
        watched.read(dice.sample(KEYS, dice.randrange(len(KEYS))))
    watched.assert_as(path)


def test_a_cut_at_every_byte_of_the_beginning_gives_the_same_points(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(b"")
    watched = Watched(path)
    for at in range(3000):
        with path.open("ab") as file:
            file.write(SAMPLE[at : at + 1])
        watched.read(["study 0", "study 0 trial 0"])
    watched.assert_as(path)


@pytest.mark.parametrize("replace", [True, False], ids=["replaced", "truncated"])
def test_a_journal_that_begins_anew_is_read_from_its_start(replace: bool, tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(SAMPLE)
    watched = Watched(path)
    watched.read(KEYS)
    half = b"".join(SAMPLE.splitlines(keepends=True)[:140])
    if replace:
        other = tmp_path / "other"
        other.write_bytes(half)
        other.replace(path)
    else:
        path.write_bytes(half)
    watched.read(KEYS)
    for key in ("study 0", "study 0 trial 0", "study 0 trial 3"):
        assert watched.collected[key].series == whole(path)[key].series


@pytest.mark.parametrize(
    "line",
    [
        "nothing",
        "[]",
        '{"op_code": 7, "trial_id": 99, "step": 1, "intermediate_value": 1}',
        '{"op_code": 7, "trial_id": -1, "step": 1, "intermediate_value": 1}',
        '{"op_code": 6, "trial_id": 0, "state": 77, "values": "x"}',
        '{"op_code": 5, "trial_id": 0, "param_name": 3, "distribution": "{"}',
        '{"op_code": "7"}',
        '{"op_code": 4, "study_id": 9}',
        '{"op_code": 0, "study_name": null, "directions": {}}',
        '{"op_code": 99}',
    ],
)
def test_a_line_that_makes_no_sense_harms_no_other(line: str, tmp_path: Path) -> None:
    lines = SAMPLE.splitlines(keepends=True)
    damaged, sound = tmp_path / "damaged.log", tmp_path / "sound.log"
    damaged.write_bytes(b"".join([*lines[:40], line.encode() + b"\n", *lines[40:]]))
    sound.write_bytes(SAMPLE)
    # A study is known by its place among all of them: what comes behind another one moves.
    moved = '"study_name"' in line
    for key, said in whole(sound).items():
        if not (moved and key.startswith("study 1")):
            assert read_whole(OptunaJournal(damaged).open(key)).series == said.series


def test_a_study_that_was_deleted_is_listed_no_more(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(SAMPLE + json.dumps({"op_code": 1, "study_id": 1}).encode() + b"\n")
    names = [part.name for part in OptunaJournal(path).runs()]
    assert names[0] == "small-loss"
    assert "trial 0" in names
    assert not any("big-accuracy" in name for name in names)


def test_a_pruned_trial_is_not_the_best_of_its_study(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [{"op_code": 0, "study_name": "s", "directions": [1]}]
    for trial, (state, value) in enumerate([(1, 0.5), (2, 0.25), (1, 0.75)]):
        records.append({"op_code": 4, "study_id": 0})
        records.append({"op_code": 6, "trial_id": trial, "state": state, "values": [value]})
    path = tmp_path / "journal.log"
    path.write_text("".join(json.dumps({**one, "worker_id": "w"}) + "\n" for one in records))
    (*_, facts) = read(OptunaJournal(path).open("study 0")).facts
    assert facts.best_step == 0
