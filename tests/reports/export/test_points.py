"""The points of a run as CSV."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from lossmon.reports.export.files import Cancelled, Work
from lossmon.reports.export.points import CHUNK, HEADER, write_points
from lossmon.types import Meaning
from tests.ui import stage


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_point_is_there_with_all_of_its_digits() -> None:
    values = np.array([0.1 + 0.2, math.nan, -math.inf, 5e-324])
    one = stage.series(stage.TRAIN_LOSS, np.arange(1, 5) * 10, values)
    one = replace(one, wall_times=np.array([1.5, math.nan, 3.0, 4.0]))
    out = io.StringIO()
    assert write_points(out, [one], Work()) == 4
    rows = rows_of(out.getvalue())
    assert tuple(rows[0]) == HEADER
    assert [row["step"] for row in rows] == ["10", "20", "30", "40"]
    assert [row["wall_time"] for row in rows] == ["1.5", "", "3.0", "4.0"]
    assert np.array_equal([float(row["value"]) for row in rows], values, equal_nan=True)
    assert {(row["tag"], row["split"], row["axis"]) for row in rows} == {
        ("train/loss", "train", "step")
    }


def test_only_the_steps_in_view_are_written() -> None:
    one = stage.series(stage.TRAIN_LOSS, np.arange(1, 101), np.ones(100))
    out = io.StringIO()
    assert write_points(out, [one], Work(), (90.0, 95.5)) == 6
    assert [row["step"] for row in rows_of(out.getvalue())] == [str(n) for n in range(90, 96)]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-x", "@SUM(A1)", 'a","b\nc'])
def test_a_hostile_name_is_text_and_no_formula(name: str) -> None:
    one = replace(stage.series(Meaning(name, name), np.arange(1, 3), np.ones(2)), tag=name)
    out = io.StringIO()
    write_points(out, [one], Work())
    rows = rows_of(out.getvalue())
    assert len(rows) == 2
    assert rows[0]["tag"] in (name, "'" + name)
    assert not rows[0]["tag"].startswith(("=", "+", "-", "@"))


def test_it_tells_how_far_it_is_and_ends_when_asked() -> None:
    shares: list[float] = []
    n = 5 * CHUNK
    one = stage.series(stage.TRAIN_LOSS, np.arange(1, n + 1), np.ones(n))
    job = Work(shares.append)
    write_points(io.StringIO(), [one], job)
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert len(shares) >= 5
    out = io.StringIO()
    stopping = Work(lambda share: stopping.cancel() if share > 0.3 else None)
    with pytest.raises(Cancelled):
        write_points(out, [one], stopping)
    assert 1 < len(out.getvalue().splitlines()) < n
