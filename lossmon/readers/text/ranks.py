"""Ranks that write one log: the one whose lines count, and those that fall behind."""

from __future__ import annotations

from typing import Generic, TypeVar

from lossmon.fast_dataclass import dataclass

T = TypeVar("T")


@dataclass(slots=True)
class _Selected(Generic[T]):
    rank: int
    settled: bool
    step: str = ""
    held: T | None = None


MOST_RANKS = 65_536
"""Ranks that are followed: more than any training has."""

LAG = 10
"""Usual strides that a rank may be behind: buffers between it and the log hold back less."""


class RankMonitor:
    """Notices ranks whose lines in a shared log fall behind those of the lowest rank."""

    def __init__(self) -> None:
        self._steps: dict[int, int] = {}
        self._stride = 0
        self._noted: set[int] = set()

    def add(self, rank: int, step: int) -> str:
        """Add a step that a rank has printed.

        Returns:
            A note about ranks that have fallen behind since the last call, or nothing.
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
            if step - at > LAG * self._stride and other not in self._noted
        }
        self._noted.update(behind)
        if not behind:
            return ""
        shown = ", ".join(f"rank {other} at step {at:,}" for other, at in list(behind.items())[:4])
        more = f" and {len(behind) - 4} more" if len(behind) > 4 else ""
        return f"behind rank {rank} at step {step:,}: {shown}{more}"


class RankSelector(Generic[T]):
    """Selects the lines of the lowest rank that prints a set of metrics.

    The first line of a rank other than 0 waits for the next line, since the same line of a
    lower rank may follow it.
    """

    def __init__(self) -> None:
        self._selected: dict[tuple[str, ...], _Selected[T]] = {}

    def add(self, rank: int, tags: tuple[str, ...], step: str, item: T) -> list[T]:
        """Add a line; return the lines that are selected now, oldest first.

        Args:
            rank: Rank that printed the line.
            step: Its step as text, to recognise the same line of another rank.
        """
        selected = self._selected.get(tags)
        if selected is None:
            settled = rank == 0
            self._selected[tags] = _Selected(rank, settled, step, None if settled else item)
            return [item] if settled else []
        if rank > selected.rank:
            return []
        waiting = [selected.held] if selected.held is not None else []
        if rank < selected.rank and selected.step == step:
            waiting = []
        if rank == selected.rank or rank == 0:
            selected.rank, selected.settled, selected.held = rank, True, None
            return [*waiting, item]
        selected.rank, selected.step, selected.held, selected.settled = rank, step, item, False
        return waiting
