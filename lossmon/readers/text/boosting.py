"""Boosted trees: what their lines leave unsaid, found in their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.words import MAXIMISED
from lossmon.readers.text.placement.hindsight import Hindsight
from lossmon.readers.text.templates import Groups, Template

SCORE = "score"
"""Last word of the tags of a metric that is maximised."""


class BestDirection:
    """Tells by the best value so far whether the metric of CatBoost or Optuna is maximised.

    `test` may be a loss or an AUC. Where the best value rises, or stays above the current one, more
    is better. The first rows wait until this is known.
    """

    def __init__(self) -> None:
        self._maximised: bool | None = None
        self._best: float | None = None
        self._waiting: list[tuple[Template, Groups]] = []

    @property
    def waits(self) -> bool:
        """Whether rows wait for one that shows the direction."""
        return bool(self._waiting)

    def add(
        self, template: Template, rows: Sequence[Groups]
    ) -> list[tuple[Template, Sequence[Groups]]]:
        """Return the rows whose direction is known, each with the tags that say it."""
        for row in rows if self._maximised is None else ():
            self._judge(template, row)
            self._waiting.append((template, row))
        if self._maximised is None:
            return []
        if self._waiting:
            return self.flush()
        return [(self._named(template), rows)]

    def flush(self) -> list[tuple[Template, Sequence[Groups]]]:
        """Return the rows that wait, because none will follow."""
        waiting, self._waiting = self._waiting, []
        return [(self._named(template), [row]) for template, row in waiting]

    def _judge(self, template: Template, row: Groups) -> None:
        best, before = float(row[template.best]), self._best
        self._best = best
        current = float(row[template.values[-1][1]])
        if before is not None and best != before:
            self._maximised = best > before
        elif current != best:
            self._maximised = best > current

    def _named(self, template: Template) -> Template:
        if template.parsed.position.scale is Scale.TRIAL:
            direction = "maximize" if self._maximised else "minimize"
            return template.renamed(lambda tag: f"{tag}/{direction}", template.parsed.split)
        if not self._maximised:
            return template
        return template.renamed(lambda tag: f"{tag} {SCORE}", template.parsed.split)


_EVAL_SET = re.compile(r"validation_(?P<number>[01])-(?P<metric>\S+)")
"""Name of a metric of one of XGBoost's eval sets."""

_JUDGED = (1, 10, 100, 1000)
"""Lines at which the two are compared: noise of the first rounds must not decide."""

_Pair = tuple[int, int, bool]
"""Indices of a metric of both sets, and whether it is maximised."""


class EvalSets:
    """Names the first of XGBoost's two eval sets the train set where the numbers agree.

    Its examples pass the train set first. A model fits its train set better; where it does not,
    both sets are held out.

    Args:
        hindsight: Keeps the answer, because later lines may correct it.
    """

    def __init__(self, hindsight: Hindsight) -> None:
        self._hindsight = hindsight
        self._lines = 0
        self._known: dict[Template, tuple[list[_Pair], Template]] = {}

    def named(self, template: Template, rows: Sequence[Groups]) -> Template:
        """Return the template of some lines with the tags that say which set they are about."""
        known = self._known.get(template)
        if known is None:
            known = self._known[template] = _pairs(template), _with_train_set(template)
        pairs, renamed = known
        if not pairs:
            return template
        for number in _JUDGED:
            if self._lines < number <= self._lines + len(rows):
                fits = _is_fitted_better(pairs, rows[number - self._lines - 1])
                self._hindsight.set_train_set(fits, is_first=number == 1)
        self._lines += len(rows)
        return renamed if self._hindsight.has_train_set else template


def _pairs(template: Template) -> list[_Pair]:
    sets = {
        (found["number"], found["metric"]): index
        for tag, index, _ in template.values
        if (found := _EVAL_SET.fullmatch(tag))
    }
    return [
        (index, sets["1", metric], MAXIMISED.match(metric) is not None)
        for (number, metric), index in sets.items()
        if number == "0" and ("1", metric) in sets
    ]


def _with_train_set(template: Template) -> Template:
    return template.renamed(
        lambda tag: f"train/{tag}" if tag.startswith("validation_0-") else tag,
        template.parsed.split,
    )


def _is_fitted_better(pairs: Sequence[_Pair], row: Groups) -> bool:
    numbers = [(float(row[first]), float(row[other]), high) for first, other, high in pairs]
    return all(first == other or (first > other) == high for first, other, high in numbers)
