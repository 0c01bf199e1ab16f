"""Many processes write one log: which of them speaks for the run."""

from __future__ import annotations

from typing import Generic, TypeVar

from lossmon.frozen import dataclass

Item = TypeVar("Item")


@dataclass(slots=True)
class _Voice(Generic[Item]):
    rank: int
    settled: bool
    step: str = ""
    held: Item | None = None


class Speaker(Generic[Item]):
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
