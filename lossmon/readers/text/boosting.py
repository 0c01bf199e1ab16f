"""Direction of the metric that CatBoost prints without its name."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.readers.text.templates import Groups, Template

SCORE = "score"
"""Last word of the tags of a metric that is maximised."""


class BoostingDirection:
    """Tells by the column `best` whether the metric of CatBoost's rows is maximised.

    `test` may be a loss or an AUC. Where the best value rises, or stays above the current one, more
    is better. The first rows wait until this is known.
    """

    def __init__(self) -> None:
        self._maximised: bool | None = None
        self._best: float | None = None
        self._waiting: list[tuple[Template, Groups]] = []

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
        if not self._maximised:
            return template
        return template.renamed(lambda tag: f"{tag} {SCORE}", template.parsed.split)
