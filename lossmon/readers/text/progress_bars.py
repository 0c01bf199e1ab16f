"""Progress bars: their states, and the one state of many that counts."""

from __future__ import annotations

import re

from lossmon.fast_dataclass import dataclass
from lossmon.readers.text.grammar.words import EVAL_NAME
from lossmon.readers.text.templates import Template

Row = tuple[str, ...]

REPEATS = 100
"""A bar whose metrics stand still gives at most this many points from its start to its end, so
that a plateau stays visible and ten redraws a second do not."""

_TQDM = re.compile(
    r"(?P<head>[^|\n]{0,200}?)(?P<percent>\d{1,3})%\|(?P<gauge>[^|\n]{0,400})\|"
    r"(?P<place>\s*(?P<step>[\d.]{1,18}[kKMGT]?B?)/(?P<total>[\d.]{1,18}[kKMGT]?B?)\s*\[)"
    r"(?P<clock>[^\]\n]{0,4000})\](?P<rest>.*)",
    re.DOTALL,
)
_ENDLESS = re.compile(
    r"(?P<head>[^|\n]{0,200}?)(?<![\w.])(?P<step>\d{1,18})it \["
    r"(?P<clock>[^\]\n]{0,4000})\](?P<rest>.*)",
    re.DOTALL,
)
"""A bar that does not know its total."""

_METRICS = re.compile(r"[=:]\s*-?[\d.]+(?!\d*:)|loss\D{0,3}\d|\bnan\b|\binf\b", re.IGNORECASE)
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
    found = _TQDM.match(frame) or _ENDLESS.match(frame)
    if found is None:
        return None
    head, clock = found["head"], found["clock"]
    postfix = clock.split(", ", 2)[2:]
    shows = bool(postfix and _METRICS.search(postfix[0])) or _METRICS.search(head) is not None
    groups = found.groupdict()
    done, of = found["step"], groups.get("total") or ""
    counts = done.isdigit() and of.isdigit()
    step, total = (int(done), int(of)) if counts else (0, 0)
    rest = found["rest"]
    line = condensed(frame[: len(frame) - len(rest)]) if shows else ""
    return Bar(step, total, counts and not head.strip(), line, rest.strip())


def condensed(frame: str) -> str:
    """A bar as a line that looks the same at every state: without its gauge and its clocks.

    `Epoch 1:  39%|██ | 4/9 [05:59<09:15, 9it/s, loss=1]` becomes `Epoch 1:  39%|| 4/9 [loss=1]`.
    """
    gauge = frame.find("%|")
    start = frame.find("|", gauge + 2) + 1 if gauge >= 0 else 0
    clock = frame.find("[", start)
    rate = frame.find(", ", clock)
    postfix = frame.find(", ", rate + 2) if rate >= 0 else -1
    shown = frame[postfix + 2 :] if postfix >= 0 else frame[frame.find("]", clock) :]
    head = f"{frame[:gauge]}%||" if gauge >= 0 else ""
    return f"{head}{frame[start : clock + 1]}{shown}"


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
    """Of the many states of each bar, gives the last one at each of its positions."""

    def __init__(self) -> None:
        self._held: dict[Template, Row] = {}
        self._given: dict[Template, _Given] = {}

    @property
    def holding(self) -> bool:
        """States wait for the next one."""
        return bool(self._held)

    def offer(self, template: Template, row: Row) -> list[tuple[Template, Row]]:
        """Take a state; return those that were the last of their position."""
        held = self._held.get(template)
        if held is not None and _same_place(template, held, row):
            self._held[template] = row
            return []
        # A train bar that moves on has its evaluation behind it.
        ended = self._end([template]) if template.parsed.split else self.end()
        self._held[template] = row
        return ended

    def end(self) -> list[tuple[Template, Row]]:
        """Return the newest states, those of evaluations last, unless they repeat."""
        return self._end(sorted(self._held, key=lambda template: template.parsed.split != ""))

    def _end(self, templates: list[Template]) -> list[tuple[Template, Row]]:
        ended = []
        for template in templates:
            row = self._held.pop(template, None)
            if row is not None and self._is_new(template, row):
                ended.append((template, row))
        return ended

    def _is_new(self, template: Template, row: Row) -> bool:
        values = tuple([row[index] for _, index, _ in template.values])
        given = self._given.get(template)
        if given is not None and given.values == values and not _news(template, given.row, row):
            return False
        self._given[template] = _Given(row, values)
        return True


def _same_place(template: Template, left: Row, right: Row) -> bool:
    """Whether two states stand at one position; an evaluation counts as one as a whole."""
    step, total, epoch = template.step, template.total, template.epoch
    moved = step >= 0 and left[step] != right[step]
    if moved and not (template.parsed.split and int(right[step]) >= int(left[step])):
        return False
    return (total < 0 or left[total] == right[total]) and (epoch < 0 or left[epoch] == right[epoch])


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


_OF_EPOCH = re.compile(r"(?i)(?:^|[\W_])epoch$")


class StaleBarValues:
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
