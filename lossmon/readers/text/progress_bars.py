"""Progress bars: parsing of their states, and selection of the states that count."""

from __future__ import annotations

import re

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.words import EVAL_NAME
from lossmon.readers.text.templates import Groups, Template

REPEATS = 100
"""Points that a bar with constant metrics yields at most from its start to its end: a plateau stays
visible, ten redraws per second do not."""

_TQDM = lazy_pattern(
    r"(?P<head>[^|\n]{0,200}?)(?P<percent>\d{1,3})%\|(?P<gauge>[^|\n]{0,400})\|"
    r"(?P<place>\s*(?P<step>[\d.]{1,18}[kKMGT]?B?)/(?P<total>[\d.]{1,18}[kKMGT]?B?)\s*\[)"
    r"(?P<clock>[^\]\n]{0,4000})\](?P<rest>.*)",
    re.DOTALL,
)
_ENDLESS = lazy_pattern(
    r"(?P<head>[^|\n]{0,200}?)(?:\|[^|\n]{0,400}\|\s*)?(?<![\w.])(?P<step>\d{1,18})(?:it|/\?) \["
    r"(?P<clock>[^\]\n]{0,4000})\](?P<rest>.*)",
    re.DOTALL,
)
"""A bar without a total."""

_METRICS = lazy_pattern(r"[=:]\s*-?[\d.]+(?!\d*:)|loss\D{0,3}\d|\bnan\b|\binf\b", re.IGNORECASE)
_KERAS = lazy_pattern(
    r"\s*(?P<step>\d{1,18})/(?P<total>\d{1,18}|Unknown)\s+(?:[━─]|\[[=>.]|\d+\w?s\b)"
)
_GAUGE = lazy_pattern(r"[━╸╺╍─]+|\[[=>.]+\]")


def may_have_tqdm(text: str) -> bool:
    """Whether a text may hold a state of a tqdm bar, with a total or without one."""
    return "%|" in text or "it [" in text or "/? [" in text


@dataclass(frozen=True, slots=True)
class TqdmBar:
    """A state of a tqdm bar.

    Attributes:
        step: Iterations done.
        total: Iterations in all.
        bare: It has no description, as that of the HF Trainer.
        line: The bar as a line of text without its gauge; empty if it shows no metrics.
        rest: Text of another stream after it.
    """

    step: int
    total: int
    bare: bool
    line: str
    rest: str


def tqdm(frame: str) -> TqdmBar | None:
    """Parse a state of a tqdm bar; None if the text is not one."""
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
    return TqdmBar(step, total, counts and not head.strip(), line, rest.strip())


def condensed(frame: str) -> str:
    """Return a bar as a line of the same shape in every state: without its gauge and its clocks.

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
    """Parse a Keras bar: whether its epoch is over, and it as a line; None if it is not one."""
    found = _KERAS.match(frame)
    if found is None:
        return None
    over = found["step"] == found["total"] or found["total"] == "Unknown"
    # A callback may end the line before the evaluation, after which the bar is drawn once more.
    over = over and " ETA: " not in frame
    return over, without_gauge(frame) if over else ""


def without_gauge(line: str) -> str:
    """Return a line without the gauges that Keras and rich draw."""
    return _GAUGE.sub("", line)


@dataclass(frozen=True, slots=True)
class _Emitted:
    row: Groups
    values: Groups


class Redraws:
    """Selects the last of the many states of a bar at each of its positions."""

    def __init__(self) -> None:
        self._held: dict[Template, Groups] = {}
        self._emitted: dict[Template, _Emitted] = {}

    @property
    def holding(self) -> bool:
        """Whether states wait for the next one."""
        return bool(self._held)

    def add(self, template: Template, row: Groups) -> list[tuple[Template, Groups]]:
        """Add a state; return those that were the last of their position."""
        held = self._held.get(template)
        if held is not None and _same_place(template, held, row):
            self._held[template] = row
            return []
        # When a train bar moves on, its evaluation is over.
        ended = self._drain([template]) if template.parsed.split else self.drain()
        self._held[template] = row
        return ended

    def drain(self) -> list[tuple[Template, Groups]]:
        """Return the newest states, those of evaluations last, unless they repeat."""
        return self._drain(sorted(self._held, key=lambda template: template.parsed.split != ""))

    def _drain(self, templates: list[Template]) -> list[tuple[Template, Groups]]:
        ended = []
        for template in templates:
            row = self._held.pop(template, None)
            if row is not None and self._is_new(template, row):
                ended.append((template, row))
        return ended

    def _is_new(self, template: Template, row: Groups) -> bool:
        values = tuple([row[index] for _, index, _ in template.values])
        emitted = self._emitted.get(template)
        if (
            emitted is not None
            and emitted.values == values
            and not _counts(template, emitted.row, row)
        ):
            return False
        self._emitted[template] = _Emitted(row, values)
        return True


def _same_place(template: Template, left: Groups, right: Groups) -> bool:
    """Whether two states have the same position; a whole evaluation is one position."""
    step, total, epoch = template.step, template.total, template.epoch
    moved = step >= 0 and left[step] != right[step]
    if moved and not (template.parsed.split and int(right[step]) >= int(left[step])):
        return False
    return (total < 0 or left[total] == right[total]) and (epoch < 0 or left[epoch] == right[epoch])


def _counts(template: Template, emitted: Groups, row: Groups) -> bool:
    """Whether the same values at another position are worth a point."""
    if _same_place(template, emitted, row):
        return False
    step, total, epoch = template.step, template.total, template.epoch
    if step < 0 or total < 0 or emitted[total] != row[total]:
        return True
    if epoch >= 0 and emitted[epoch] != row[epoch]:
        return True
    if any(row[index].lower().strip("+-") in ("nan", "inf") for _, index, _ in template.values):
        return True
    ahead = int(row[step]) - int(emitted[step])
    return ahead < 0 or ahead * REPEATS >= int(row[total])


_OF_EPOCH = lazy_pattern(r"(?i)(?:^|[\W_])epoch$")


class StaleBarValues:
    """Remembers the values that a train bar has shown.

    A bar shows each value until the next one: the val loss of the last evaluation appears at every
    step of the next epoch, and a bar that starts over still shows the end of the last one.
    """

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, int]] = {}
        """Text of each tag, and the step at which it appeared."""
        self._step = -1

    def is_left_over(self, template: Template, row: Groups) -> bool:
        """Whether a bar at its start still shows the previous values."""
        if template.step < 0 or int(row[template.step]) or not template.values:
            return False
        return all(
            tag in self._values and self._values[tag][0] == row[index]
            for tag, index, _ in template.values
        )

    def repeated(self, template: Template, row: Groups, step: int) -> frozenset[str]:
        """Return the tags whose values were shown before: at this step, or at the last evaluation.

        `epoch` is among them if the step is that of the previous state.
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
