"""Files of one run, and the newest lines of its text logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lossmon.monitor.file_follower import FollowedFile, Identity, identity
from lossmon.monitor.runs import run_state
from lossmon.monitor.same_training import is_left_behind
from lossmon.readers.discovery.found import FoundFile, FoundRun
from lossmon.types import Facts

LOG_LINES = 500
"""Newest lines kept per log: several screens to scroll back."""


class RunLog:
    """Lines by the name of the log. Where several logs grow, the last one to grow is shown.

    Attributes:
        name: Name of the log that grew last, empty before the first line.
    """

    def __init__(self) -> None:
        self.name = ""
        self._lines: dict[str, deque[str]] = {}

    @property
    def lines(self) -> tuple[str, ...]:
        """The newest lines of the log that grew last, oldest first."""
        return tuple(self._lines.get(self.name, ()))

    def add(self, name: str, lines: Sequence[str]) -> None:
        """Append lines of a log."""
        if lines:
            self.name = name
            self._lines.setdefault(name, deque(maxlen=LOG_LINES)).extend(lines)

    def clear(self, name: str) -> None:
        """Drop the lines of a log that was replaced."""
        self._lines.pop(name, None)

    def clear_all(self) -> None:
        """Drop all lines."""
        self._lines.clear()


class RunFiles:
    """Followed files of one run, numbered in the order in which they were begun."""

    def __init__(self) -> None:
        self._files: dict[str, FollowedFile] = {}
        self._next_number = 0
        self._turn = 0

    def __iter__(self) -> Iterator[FollowedFile]:
        return iter(self._files.values())

    def update(self, found: FoundRun) -> tuple[list[int], bool]:
        """Follow files that appeared, and drop those whose contents are in another file now.

        Returns:
            Numbers of the dropped files, and whether any file appeared.
        """
        listed = {_key(file): file for file in found.files}
        fresh = {key: file for key, file in listed.items() if key not in self._files}
        names = {file.path.name for file in fresh.values()}
        inodes = {identity(file.path) for file in fresh.values()}
        dropped = [
            self._files.pop(key).number
            for key, followed in list(self._files.items())
            if key not in listed and _is_superseded(followed, names, inodes)
        ]
        for key, file in fresh.items():
            self._follow(key, file)
        if fresh and not self._is_in_order(found):
            dropped += self._restart(listed.values())
        return dropped, bool(fresh)

    def restart(self) -> list[int]:
        """Read every file that still exists from its beginning; return their old numbers."""
        return self._restart([file.found for file in self if file.found.path.exists()])

    def _restart(self, files: Iterable[FoundFile]) -> list[int]:
        """Number the files again: an older one turned up, such as a rotated log."""
        dropped = []
        for file in files:
            dropped.append(self._files.pop(_key(file)).number)
            self._follow(_key(file), file)
        return dropped

    def _follow(self, key: str, file: FoundFile) -> None:
        self._files[key] = FollowedFile(self._next_number, file)
        self._next_number += 1

    def _is_in_order(self, found: FoundRun) -> bool:
        """Whether the files of each source are numbered in the order in which they were begun."""
        newest: dict[tuple[str, int, str], int] = {}
        for file in found.files:
            stream = (file.format.source, file.format.rank, file.scope)
            number = self._files[_key(file)].number
            if number < newest.get(stream, -1):
                return False
            newest[stream] = number
        return True

    def in_turn(self) -> Iterator[FollowedFile]:
        """Every file, from the one after the last that was reached: none starves the others."""
        files = list(self)
        for place in (*range(self._turn, len(files)), *range(min(self._turn, len(files)))):
            self._turn = place + 1
            yield files[place]

    def have_moved_to(self, inodes: set[Identity]) -> bool:
        """Whether the files are gone from their paths and among those given."""
        own = [file for file in self if file.seen]
        return any(file.seen and file.seen.identity in inodes for file in own) and not any(
            file.found.path.exists() for file in own
        )

    @property
    def caught_up(self) -> bool:
        """Whether every file was read to its end once."""
        return all(file.caught_up for file in self)

    @property
    def has_unread(self) -> bool:
        """Whether bytes are known to be unread."""
        return any(file.pending or (file.seen is None and not file.caught_up) for file in self)

    @property
    def is_live(self) -> bool:
        """Whether a file was seen to grow."""
        return any(file.grew_at is not None for file in self)

    @property
    def written(self) -> int:
        """Nanoseconds since the Unix epoch of the newest modification, 0 where unknown."""
        return max((file.seen.modified_ns for file in self if file.seen), default=0)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.seen.size if file.seen else 0 for file in self)

    @property
    def loaded(self) -> float:
        """Share of the known bytes that were read, 0 to 1."""
        total, pending = self.size, sum(file.pending for file in self)
        return 1.0 if not total else round(1.0 - min(pending, total) / total, 3)

    @property
    def sources(self) -> tuple[str, ...]:
        """Format families, best first, each once."""
        ranked = sorted(self, key=lambda file: file.found.format.rank)
        return tuple(dict.fromkeys(file.found.format.source for file in ranked))

    @property
    def errors(self) -> list[str]:
        """Why files are not read."""
        return [file.error for file in self if file.error]

    def last_activity(self, newest_wall: float) -> float | None:
        """Seconds since the Unix epoch of the last sign of life, None before any.

        Args:
            newest_wall: Newest time among the records, NaN where they have none.
        """
        times = (file.last_activity(newest_wall) for file in self)
        return max((time for time in times if time is not None), default=None)

    @property
    def save_interval(self) -> int:
        """Steps between the writes of the most frequently written file with points, 0 if few."""
        intervals = [file.facts.save_interval or 0 for file in self if file.has_points]
        return min(intervals, default=0)

    def facts(self) -> Facts:
        """Facts that the files state, merged; what an earlier part says of its end is void."""
        # Of equal sources the newest counts: a run may be resumed with another plan.
        ranked = sorted(self, key=lambda file: (file.found.format.rank, -file.number))
        return run_state.merged_facts(
            [
                replace(file.facts, failure=None, finished=None)
                if self._was_resumed(file)
                else file.facts
                for file in ranked
            ]
        )

    def _was_resumed(self, file: FollowedFile) -> bool:
        """Whether the run was resumed after a file stated that it ended."""
        if not file.facts.failure and not file.facts.finished:
            return False
        others = [other for other in self if other.has_points]
        return is_left_behind(file.found.path, [other.found.path for other in others]) or any(
            file.is_outrun_by(other) for other in others
        )


def _key(file: FoundFile) -> str:
    return f"{file.path}/{file.part}" if file.part else str(file.path)


def _is_superseded(file: FollowedFile, names: set[str], inodes: set[Identity | None]) -> bool:
    """Whether the contents of a file that is no longer listed are in another one.

    A trainer writes its whole history into each checkpoint: the newest has all of it, whether
    the older ones are still on disk or were deleted. A rotated log has another name. The curve
    of a log that was merely deleted stays.
    """
    path = file.found.path
    return path.exists() or path.name in names or (file.seen and file.seen.identity) in inodes
