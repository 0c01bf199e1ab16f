"""Points of one call in logged order, indexed by series for bulk processing."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.state import Channel, EngineState, Role
from lossmon.fast_dataclass import dataclass
from lossmon.types import Floats, Ints

_NOWHERE = np.empty(0, np.int64)


class IndexedPoints:
    """Points of one call, with the positions of each role looked up once."""

    def __init__(
        self,
        known: list[Channel],
        channels: Ints,
        steps: Ints,
        values: Floats,
        limit: float,
        after_non_finite: bool,
    ) -> None:
        """Index the points of a call.

        Args:
            known: The channels, by number.
            channels: Numbers of channels.
            steps: Steps.
            values: Values; finite ones are clipped to plus or minus `limit`.
            limit: See `values`.
            after_non_finite: The run has had a loss or a gradient that was not finite: from then
                on a loss of exactly 0 may stand for NaN.
        """
        finite = np.isfinite(values)
        self._known = known
        self._channels = np.where((channels >= 0) & (channels < len(known)), channels, -1)
        self._steps = np.asarray(steps, dtype=np.int64)
        self._values = np.where(finite, np.clip(values, -limit, limit), values)
        # Not np.unique: its first call imports masked arrays, which takes longer than all this.
        self._numbers = np.flatnonzero(np.bincount(self._channels + 1)[1:]).tolist()
        self._positions = {i: np.flatnonzero(self._channels == i) for i in self._numbers}
        self._of_role = {role: self._gather(role) for role in (Role.TRAIN, Role.EVAL, Role.REWARD)}
        self._special = self._find_special(finite, after_non_finite or not finite.all())

    def _gather(self, role: Role) -> Ints:
        positions = [self._positions[i] for i in self._numbers if self._known[i].role is role]
        return np.sort(np.concatenate([_NOWHERE, *positions]), kind="stable")

    def _find_special(self, finite: np.ndarray, zeros: bool) -> Ints:
        """Points to add one by one: not finite, or a 0.0 that may stand for NaN."""
        odd = ~finite
        for role in (Role.TRAIN, Role.EVAL) if zeros else ():
            losses = self._of_role[role]
            odd[losses] |= self._values[losses] == 0.0
        return np.flatnonzero(odd)

    def nth(self, role: Role, start: int, nth: int) -> int:
        """Position of the nth point of a role from `start` on, or the end."""
        positions = self._of_role[role]
        at = int(positions.searchsorted(start)) + max(nth, 1) - 1
        return int(positions[at]) if at < len(positions) else len(self._channels)

    def count(self, role: Role, start: int, stop: int) -> int:
        """Points of a role between two positions."""
        positions = self._of_role[role]
        a, b = positions.searchsorted(start), positions.searchsorted(stop)
        return int(b - a)

    def next_special(self, start: int) -> int:
        """Position of the next point that must be seen alone, or the end."""
        at = int(self._special.searchsorted(start))
        return int(self._special[at]) if at < len(self._special) else len(self._channels)

    def nth_above(self, role: Role, start: int, stop: int, alarm: Alarm) -> int:
        """Position of the loss of a role for which an alarm is due before `stop`, or `stop`."""
        above = self._above(role, start, stop, alarm.level)
        nth = alarm.until_due
        return int(above[nth - 1]) if len(above) >= nth else stop

    def count_above(self, role: Role, start: int, stop: int, level: float) -> int:
        """Losses of a role above a level between two positions."""
        return len(self._above(role, start, stop, level))

    def _above(self, role: Role, start: int, stop: int, level: float) -> Ints:
        if level == math.inf:
            return _NOWHERE
        positions = self._of_role[role]
        a, b = positions.searchsorted(start), positions.searchsorted(stop)
        return positions[a:b][self._values[positions[a:b]] > level]

    def point(self, at: int) -> tuple[list[int], list[int], list[float]]:
        """One point, as columns of length one."""
        return (
            [int(self._channels[at])],
            [int(self._steps[at])],
            [float(self._values[at])],
        )

    def add_to(self, state: EngineState, start: int, stop: int) -> None:
        """Add a stretch without special points to the state, series by series."""
        if stop <= start:
            return
        for number in self._numbers:
            channel = self._known[number]
            if channel.role is Role.IGNORED:
                continue
            positions = self._positions[number]
            a, b = positions.searchsorted(start), positions.searchsorted(stop)
            if b > a:
                chosen = positions[a:b]
                state.add_column(channel, self._steps[chosen], self._values[chosen])


SHIFT = 0.05
"""Relative change of the level below which the points counted so far still count: every judgement
shifts it a little, and plain noise must not keep raising alarms."""

EVERY_ONE = 4
"""The first alarms are all followed by a judgement; of the later ones the 8th, 16th and so on."""


@dataclass(slots=True)
class Alarm:
    """Counts the points above a level.

    Attributes:
        level: Value above which a point counts.
        count: Points above it since it last moved.
    """

    level: float = math.inf
    count: int = 0

    def add(self, value: float) -> bool:
        """Count a point; whether it calls for a judgement."""
        if not value > self.level:
            return False
        self.count += 1
        return self.count <= EVERY_ONE or self.count & (self.count - 1) == 0

    @property
    def until_due(self) -> int:
        """Further points above the level; the last one calls for a judgement."""
        if self.count < EVERY_ONE:
            return 1
        return (1 << self.count.bit_length()) - self.count

    def move(self, level: float) -> None:
        """Set the level of the newest judgement."""
        if not math.isclose(level, self.level, rel_tol=SHIFT):
            self.count = 0
        self.level = level
