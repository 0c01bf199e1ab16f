"""What a progress bar goes on showing although nobody has measured it again."""

from __future__ import annotations

import re

from lossmon.readers.text_shapes import Template
from lossmon.readers.text_steps import Row
from lossmon.readers.text_words import EVAL_NAME

_OF_EPOCH = re.compile(r"(?i)(?:^|[\W_])epoch$")


class Shown:
    """Remembers the values that a train bar has shown.

    A bar keeps each value until the next one: the val loss of the last evaluation stands beside
    every step of the next epoch, and a bar that begins anew still shows the end of the last one.
    """

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, int]] = {}
        """Text of each tag, and the step at which it turned up."""
        self._step = -1

    def is_left_over(self, template: Template, row: Row) -> bool:
        """Whether a bar that has done nothing yet shows what it showed before."""
        if template.step < 0 or int(row[template.step]) or not template.values:
            return False
        return all(
            tag in self._values and self._values[tag][0] == row[index]
            for tag, index, _ in template.values
        )

    def repeated(self, template: Template, row: Row, step: int) -> frozenset[str]:
        """Tags whose values were given before: at this very step, or at the last evaluation.

        Returns:
            Their names; with `epoch` where the step is that of the state before.
        """
        again = {"epoch"} if step == self._step else set()
        self._step = step
        for tag, index, _ in template.values:
            before = self._values.get(tag)
            if (
                before is not None
                and before[0] == row[index]
                and (before[1] == step or EVAL_NAME.search(tag) or _OF_EPOCH.search(tag))
            ):
                again.add(tag)
            else:
                self._values[tag] = row[index], step
        return frozenset(again)
