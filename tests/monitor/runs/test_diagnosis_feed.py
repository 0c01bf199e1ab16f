"""Feed of the diagnosis: what is queued once is not looked up again."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lossmon.monitor.runs.diagnosis_feed import SLICE, DiagnosisFeed
from lossmon.store import RunStore
from lossmon.store.training_order import TrainingOrder
from lossmon.types import Facts
from tests.store.points import TRAIN, points


def test_series_are_looked_up_once_for_all_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    store, looks, rounds, read = RunStore(), list[object](), 0, TrainingOrder.read

    def counted(order: TrainingOrder, *arguments: Any) -> object:
        looks.append(order)
        return read(order, *arguments)

    monkeypatch.setattr(TrainingOrder, "read", counted)
    store.add(0, "jsonl", 20, "", points("loss", range(1, 4 * SLICE)), TRAIN)
    feed = DiagnosisFeed(store, 1.0)
    while feed.busy:
        rounds += feed.update(Facts(), -math.inf)
    assert len(looks) == 1 and rounds > 1
    store.add(0, "jsonl", 20, "", points("loss", [4 * SLICE], order=4 * SLICE), TRAIN)
    assert feed.update(Facts(), math.inf) and len(looks) == 2
    assert not feed.update(Facts(), math.inf) and len(looks) == 2
