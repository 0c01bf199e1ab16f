"""Alarm of an unusually high loss: a level above which points call for a judgement."""

from __future__ import annotations

import math

from lossmon.fast_dataclass import dataclass

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
