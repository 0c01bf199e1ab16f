"""Scalar tags of an event file."""

from __future__ import annotations

from lossmon.readers.tensorboard.event import SummaryValue
from lossmon.sanitize import one_line
from lossmon.types import Axis

LONGEST_TAG = 1024
"""Bytes of the longest tag. Real ones have at most some dozen words."""

MOST_TAGS = 20_000
"""Series of one file. A model with the norms of every layer has some thousand; a name with a number
that changes at every step would fill the memory."""

_SCALARS = b"scalars"


class EventTags:
    """Numbers the scalar tags of one file.

    TensorFlow names the plugin of a tag in the tag's first event only, so it is remembered. A
    number without a plugin is a scalar too: the first event of its tag may be in another file.

    Attributes:
        names: Tags by number, as text without control characters.
        axes: What the steps of a tag count, by number.
        refused: Values of tags that were too long or too many.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.axes: list[Axis] = []
        self.refused = 0
        self._numbers: dict[bytes, int] = {}
        self._plugins: dict[bytes, bytes] = {}

    def plugin(self, value: SummaryValue) -> bytes | None:
        """Return the plugin that shows a value's tag, None if no event named it."""
        if value.plugin is None:
            return self._plugins.get(value.tag)
        if len(value.tag) <= LONGEST_TAG and len(self._plugins) < MOST_TAGS:
            self._plugins[value.tag] = value.plugin[:64]
        return value.plugin

    def number(self, value: SummaryValue) -> int | None:
        """Return the number of a scalar's tag, None if it is not a scalar or cannot be kept."""
        plugin = self.plugin(value)
        if value.simple is None and plugin not in (None, _SCALARS) and not value.scalar_class:
            return None
        number = self._numbers.get(value.tag)
        if number is None:
            if len(value.tag) > LONGEST_TAG or len(self.names) >= MOST_TAGS:
                self.refused += 1
                return None
            number = self._numbers[value.tag] = len(self.names)
            self.names.append(one_line(value.tag.decode(errors="replace")))
            self.axes.append(_axis(value))
        return number


def _axis(value: SummaryValue) -> Axis:
    """Keras alone writes `epoch_*` as tensors, and counts epochs there."""
    by_epoch = value.simple is None and value.tag.startswith(b"epoch_")
    return Axis.EPOCH if by_epoch else Axis.STEP
