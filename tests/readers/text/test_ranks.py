"""Which rank of a shared log speaks for the run."""

from __future__ import annotations

from lossmon.readers.text.ranks import RankSelector

LOSS = ("loss",)


def offer(lines: list[tuple[int, str]]) -> list[str]:
    speaker: RankSelector[str] = RankSelector()
    return [
        said for rank, step in lines for said in speaker.offer(rank, LOSS, step, f"{rank}:{step}")
    ]


def test_rank_0_speaks_at_once() -> None:
    assert offer([(0, "1"), (1, "1"), (0, "2"), (1, "2")]) == ["0:1", "0:2"]


def test_a_higher_rank_waits_for_a_lower_one_to_say_the_same() -> None:
    assert offer([(3, "1"), (1, "1"), (0, "1"), (3, "2"), (0, "2")]) == ["0:1", "0:2"]


def test_a_rank_that_is_alone_speaks_from_its_second_line_on() -> None:
    assert offer([(7, "1"), (7, "2"), (7, "3")]) == ["7:1", "7:2", "7:3"]


def test_other_metrics_may_have_another_speaker() -> None:
    speaker: RankSelector[str] = RankSelector()
    assert speaker.offer(0, LOSS, "1", "a") == ["a"]
    assert speaker.offer(1, ("throughput",), "1", "b") == []
    assert speaker.offer(1, ("throughput",), "2", "c") == ["b", "c"]
