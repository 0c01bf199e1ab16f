"""Many processes write one log: which of them speaks for the run."""

from __future__ import annotations

from typing import Generic, TypeVar

from lossmon.fast_dataclass import dataclass

Item = TypeVar("Item")


@dataclass(slots=True)
class _Voice(Generic[Item]):
    rank: int
    settled: bool
    step: str = ""
    held: Item | None = None


MOST_RANKS = 65_536
"""Ranks that are followed: more than any training has."""

LAG = 10
"""Usual strides that a rank may be behind: less is what buffers between it and the log hold."""


class RankMonitor:
    """Notices ranks whose lines in a shared log fall behind those of the one that speaks."""

    def __init__(self) -> None:
        self._steps: dict[int, int] = {}
        self._stride = 0
        self._told: set[int] = set()

    def hear(self, rank: int, step: int) -> str:
        """Take note of a step that a rank has printed.

        Returns:
            A word about ranks that have fallen behind since this was last called, or nothing.
        """
        before = self._steps.get(rank)
        if before is None and len(self._steps) >= MOST_RANKS:
            return ""
        self._steps[rank] = step
        if before is None or rank != min(self._steps) or step <= before:
            return ""
        # The widest stride counts: a rank may print every line or every tenth.
        self._stride = max(self._stride, step - before)
        behind = {
            other: at
            for other, at in self._steps.items()
            if step - at > LAG * self._stride and other not in self._told
        }
        self._told.update(behind)
        if not behind:
            return ""
        shown = ", ".join(f"rank {other} at step {at:,}" for other, at in list(behind.items())[:4])
        more = f" and {len(behind) - 4} more" if len(behind) > 4 else ""
        return f"behind rank {rank} at step {step:,}: {shown}{more}"


class RankSelector(Generic[Item]):
    """Lets the lowest rank that prints a set of metrics speak, and silences the others.

    The first line of a rank other than 0 waits for the next line, since the same line of a
    lower rank may follow it.
    """

    def __init__(self) -> None:
        self._voices: dict[tuple[str, ...], _Voice[Item]] = {}

    def offer(self, rank: int, tags: tuple[str, ...], step: str, item: Item) -> list[Item]:
        """Return the lines that may speak now, oldest first.

        Args:
            rank: Who printed the line.
            tags: Names of its metrics.
            step: Its step as text, to tell the same line of another rank.
            item: The line.
        """
        voice = self._voices.get(tags)
        if voice is None:
            settled = rank == 0
            self._voices[tags] = _Voice(rank, settled, step, None if settled else item)
            return [item] if settled else []
        if rank > voice.rank:
            return []
        waiting = [voice.held] if voice.held is not None else []
        if rank < voice.rank and voice.step == step:
            waiting = []
        if rank == voice.rank or rank == 0:
            voice.rank, voice.settled, voice.held = rank, True, None
            return [*waiting, item]
        voice.rank, voice.step, voice.held, voice.settled = rank, step, item, False
        return waiting
