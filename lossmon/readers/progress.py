"""Progress bars: their states, and the one state of many that counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lossmon.readers.text_shapes import Template

Row = tuple[str, ...]

REPEATS = 100
"""A bar whose metrics stand still gives at most this many points from its start to its end, so
that a plateau stays visible and ten redraws a second do not."""

_TQDM = re.compile(
    r"(?P<head>[^|\n]{0,200}?)(?P<percent>\d{1,3})%\|(?P<gauge>[^|\n]{0,400})\|"
    r"(?P<place>\s*(?P<step>\d{1,18})/(?P<total>\d{1,18})\s*\[)(?P<clock>[^\]\n]{0,4000})\](?P<rest>.*)",
    re.DOTALL,
)
_METRICS = re.compile(r"[=:]\s*-?[\d.]+(?!\d*:)|nan|inf")
_KERAS = re.compile(
    r"\s*(?P<step>\d{1,18})/(?P<total>\d{1,18}|Unknown)\s+(?:[━─]|\[[=>.]|\d+\w?s\b)"
)
_GAUGE = re.compile(r"[━╸╺╍─]+|\[[=>.]+\]")


@dataclass(frozen=True, slots=True)
class Bar:
    """A state of a tqdm bar.

    Attributes:
        step: What it has done.
        total: What there is to do.
        bare: It has no description, as the HF Trainer's.
        line: The bar as a line of text, its gauge left out; empty if it shows no metrics.
        rest: What another stream wrote behind it.
    """

    step: int
    total: int
    bare: bool
    line: str
    rest: str


def tqdm(frame: str) -> Bar | None:
    """Take a tqdm bar apart; None if the text is none."""
    found = _TQDM.match(frame)
    if found is None:
        return None
    head, clock = found["head"], found["clock"]
    parts = clock.split(", ", 1)[1:]
    postfix = parts[0].split(", ", 1)[1:] if parts else []
    shows = bool(postfix and "=" in postfix[0]) or _METRICS.search(head) is not None
    line = f"{head}{found['percent']}%||{found['place']}{clock}]" if shows else ""
    return Bar(
        int(found["step"]), int(found["total"]), not head.strip(), line, found["rest"].strip()
    )


def keras(frame: str) -> tuple[bool, str] | None:
    """Take a Keras bar apart: whether its epoch is over, and it as a line; None if it is none."""
    found = _KERAS.match(frame)
    if found is None:
        return None
    over = found["step"] == found["total"] or found["total"] == "Unknown"
    return over, without_gauge(frame) if over else ""


def without_gauge(line: str) -> str:
    """A line without the strokes that Keras and rich draw their bars with."""
    return _GAUGE.sub("", line)


@dataclass(slots=True)
class _Given:
    place: Row
    values: Row
    step: int


class Redraws:
    """Of the many states of a bar, gives the last one at each of its positions."""

    def __init__(self) -> None:
        self._held: tuple[Template, Row, Row] | None = None
        self._given: dict[Row, _Given] = {}

    def offer(self, template: Template, row: Row) -> list[tuple[Template, Row]]:
        """Take a state; return the one before it if that was the last of its position."""
        place = tuple(
            row[index] if index >= 0 else ""
            for index in (
                -1 if template.parsed.split else template.step, template.total, template.epoch,
            )
        )  # fmt: skip
        held = self._held
        if held is not None and (held[0] is not template or held[2] != place):
            ended = self.end()
        else:
            ended = []
        self._held = (template, row, place)
        return ended

    def end(self) -> list[tuple[Template, Row]]:
        """Return the newest state, unless it repeats what was given."""
        if self._held is None:
            return []
        template, row, place = self._held
        self._held = None
        tags = tuple(tag for tag, _, _ in template.values)
        values = tuple(row[index] for _, index, _ in template.values)
        step = int(row[template.step]) if template.step >= 0 else 0
        given = self._given.get(tags)
        if (
            given is not None
            and given.values == values
            and not _news(template, row, given, place, step)
        ):
            return []
        self._given[tags] = _Given(place, values, step)
        return [(template, row)]


def _news(template: Template, row: Row, given: _Given, place: Row, step: int) -> bool:
    """Whether the same values at another position are worth a point."""
    if given.place == place:
        return False
    if given.place[1:] != place[1:] or step < given.step or template.total < 0:
        return True
    if any(value in ("nan", "inf", "-inf", "NaN") for value in given.values):
        return True
    return (step - given.step) * REPEATS >= int(row[template.total])
