"""What a run logged besides scalars, thinned to a bound."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from lossmon.store import media
from lossmon.store.media import MOST_STEPS, MediaStore
from lossmon.types import LoggedMedia, MediaKind, MediaRecord


def logged(tag: str, step: int) -> LoggedMedia:
    return LoggedMedia(MediaKind.HISTOGRAM, tag, MediaRecord(step, 0.0, Path("log"), step, 1))


def steps(store: MediaStore, at: int = 0) -> list[int]:
    return [record.step for record in store.all()[at].records]


def test_many_steps_are_thinned_evenly_and_the_ends_stay() -> None:
    store = MediaStore()
    store.add(0, "", "s", (logged("h", step) for step in range(10_000)))
    kept = steps(store)
    assert MOST_STEPS // 3 < len(kept) <= MOST_STEPS
    assert (kept[0], kept[-1]) == (0, 9999)
    gaps = [after - before for before, after in pairwise(kept)]
    assert max(gaps) <= 10_000 / MOST_STEPS * 4


def test_many_tags_share_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_RECORDS", 200)
    monkeypatch.setattr(media, "MOST_TAGS", 20)
    store = MediaStore()
    for step in range(60):
        store.add(0, "", "s", [logged(f"h{tag:02}", step) for tag in range(30)])
    found = store.all()
    assert len(found) == 20
    assert sum(len(one.records) for one in found) <= 200
    assert all(one.last_step == 59 for one in found)


def test_a_step_logged_again_replaces_the_old_one_and_files_can_be_dropped() -> None:
    store = MediaStore()
    store.add(0, "", "s", [logged("h", 1), logged("h", 2)])
    store.add(1, "train", "s", [logged("h", 1)])
    before = store.all()
    assert store.all() is before
    assert [one.name for one in before] == ["h", "train/h"]
    store.add(2, "", "s", [logged("h", 2)])
    store.clear(0)
    assert steps(store) == [2]
    store.clear(1)
    store.clear(2)
    assert store.all() == ()
