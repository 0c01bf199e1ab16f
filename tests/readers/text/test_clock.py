"""Wall times that loggers print."""

from __future__ import annotations

import math
import time

import pytest

from lossmon.readers.text.emitter import Clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-21T00:00:01Z", 1795219201.0),
        ("2026-11-21 01:00:01+01:00", 1795219201.0),
        ("2026-11-20 18:30:01,500-0530", 1795219201.5),
        ("2026/11/21 00:00:01 UTC", 1795219201.0),
    ],
)
def test_a_time_with_a_zone_is_exact(text: str, seconds: float) -> None:
    assert Clock().seconds(text) == seconds


def test_a_time_without_a_zone_is_local() -> None:
    local = time.mktime((2026, 11, 21, 12, 34, 56, 0, 0, -1))
    assert Clock().seconds("2026-11-21 12:34:56.789") == pytest.approx(local + 0.789)


@pytest.mark.parametrize(
    "text", ["2026-13-45 00:00:00", "2026-11-21 99:00:00", "0000-00-00 00:00:00"]
)
def test_what_is_no_date_is_unknown(text: str) -> None:
    assert math.isnan(Clock().seconds(text))
