"""Rank of a shared log whose lines count."""

from __future__ import annotations

from lossmon.readers.text.ranks import RankSelector

LOSS = ("loss",)


def selected(lines: list[tuple[int, str]]) -> list[str]:
    selector: RankSelector[str] = RankSelector()
    return [one for rank, step in lines for one in selector.add(rank, LOSS, step, f"{rank}:{step}")]


def test_rank_0_is_selected_at_once() -> None:
    assert selected([(0, "1"), (1, "1"), (0, "2"), (1, "2")]) == ["0:1", "0:2"]


def test_a_higher_rank_waits_for_the_same_line_of_a_lower_one() -> None:
    assert selected([(3, "1"), (1, "1"), (0, "1"), (3, "2"), (0, "2")]) == ["0:1", "0:2"]


def test_a_rank_that_is_alone_is_selected_from_its_second_line_on() -> None:
    assert selected([(7, "1"), (7, "2"), (7, "3")]) == ["7:1", "7:2", "7:3"]


def test_other_metrics_may_be_of_another_rank() -> None:
    selector: RankSelector[str] = RankSelector()
    assert selector.add(0, LOSS, "1", "a") == ["a"]
    assert selector.add(1, ("throughput",), "1", "b") == []
    assert selector.add(1, ("throughput",), "2", "c") == ["b", "c"]
