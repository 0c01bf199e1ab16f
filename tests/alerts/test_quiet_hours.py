from __future__ import annotations

import time

import pytest

from lossmon.alerts.sender import QuietHours, parse_hours
from lossmon.errors import ConfigError


def at(clock: str) -> float:
    """A moment at a local time of day."""
    return time.mktime(time.strptime(f"2026-03-02 {clock}", "%Y-%m-%d %H:%M"))


@pytest.mark.parametrize(
    "span, inside, outside",
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("12:30-14:00", ["12:30", "13:59"], ["12:29", "14:00", "00:00"]),
        ("9:00 - 9:00", [], ["09:00", "00:00"]),
    ],
)
def test_a_span_may_go_over_midnight(span: str, inside: list[str], outside: list[str]) -> None:
    hours = parse_hours(span, "quiet_hours")
    assert hours is not None
    assert all(hours.contains(at(clock)) for clock in inside)
    assert not any(hours.contains(at(clock)) for clock in outside)


def test_nothing_is_no_span() -> None:
    assert parse_hours("", "quiet_hours") is None
    assert parse_hours("00:00-23:59", "quiet_hours") == QuietHours(0, 1439)


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:00", "22:60-07:00", "at night"])
def test_anything_else_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConfigError, match=r"my\.toml: quiet_hours"):
        parse_hours(text, "my.toml: quiet_hours")
