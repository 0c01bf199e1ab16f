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
    r"(?P<place>\s*(?P<step>[\d.]{1,18}[kKMGT]?B?)/(?P<total>[\d.]{1,18}[kKMGT]?B?)\s*\[)(?P<clock>[^\]\n]{0,4000})\](?P<rest>.*)",
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
    counts = found["step"].isdigit() and found["total"].isdigit()
    step, total = (int(found["step"]), int(found["total"])) if counts else (0, 0)
    return Bar(step, total, counts and not head.strip(), line, found["rest"].strip())


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


@dataclass(frozen=True, slots=True)
class _Given:
    row: Row
    values: Row


class Redraws:
    """Of the many states of a bar, gives the last one at each of its positions."""

    def __init__(self) -> None:
        self._held: tuple[Template, Row] | None = None
        self._given: dict[Template, _Given] = {}

    def offer(self, template: Template, row: Row) -> list[tuple[Template, Row]]:
        """Take a state; return the one before it if that was the last of its position."""
        held = self._held
        ended: list[tuple[Template, Row]] = []
        if held is not None and not (held[0] is template and _same_place(template, held[1], row)):
            ended = self.end()
        self._held = (template, row)
        return ended

    def end(self) -> list[tuple[Template, Row]]:
        """Return the newest state, unless it repeats what was given."""
        if self._held is None:
            return []
        (template, row), self._held = self._held, None
        values = tuple([row[index] for _, index, _ in template.values])
        given = self._given.get(template)
        if given is not None and given.values == values and not _news(template, given.row, row):
            return []
        self._given[template] = _Given(row, values)
        return [(template, row)]


def _same_place(template: Template, left: Row, right: Row) -> bool:
    """Whether two states stand at one position; an evaluation counts as one as a whole."""
    step, total, epoch = template.step, template.total, template.epoch
    return (
        (step < 0 or bool(template.parsed.split) or left[step] == right[step])
        and (total < 0 or left[total] == right[total])
        and (epoch < 0 or left[epoch] == right[epoch])
    )


def _news(template: Template, given: Row, row: Row) -> bool:
    """Whether the same values at another position are worth a point."""
    if _same_place(template, given, row):
        return False
    step, total, epoch = template.step, template.total, template.epoch
    if step < 0 or total < 0 or given[total] != row[total]:
        return True
    if epoch >= 0 and given[epoch] != row[epoch]:
        return True
    if any(row[index].lower().strip("+-") in ("nan", "inf") for _, index, _ in template.values):
        return True
    ahead = int(row[step]) - int(given[step])
    return ahead < 0 or ahead * REPEATS >= int(row[total])
