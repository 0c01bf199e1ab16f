"""List of all that has a detail view: both losses together, each alone, every other scalar."""

from __future__ import annotations

from dataclasses import replace

from lossmon.analysis.generalisation_gap import gap_series
from lossmon.fast_dataclass import dataclass
from lossmon.types import RunSnapshot, Series
from lossmon.ui.chart.run_model import eval_sets
from lossmon.ui.metrics.entries import key_of
from lossmon.ui.metrics.table import rows

LOSSES = "losses"
"""The key of both losses in one chart."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Series that share one chart.

    Attributes:
        key: Stays the same while the run grows.
        shown: Indices into the run's series, the most important first.
        beside: Indices of series that share the axes without being drawn.
    """

    key: str
    shown: tuple[int, ...]
    beside: tuple[int, ...] = ()


class Catalogue:
    """The subjects of a run, in the order in which they are gone through."""

    def __init__(self) -> None:
        self.run: RunSnapshot | None = None
        """The run with the gap between its losses among its series."""
        self.subjects: tuple[Subject, ...] = ()
        self._gap: tuple[Series | None, Series | None, Series | None] = (None, None, None)

    def update(self, run: RunSnapshot) -> None:
        """Take a run as it is."""
        gap = self._gap_of(run)
        known = run if gap is None else replace(run, series=(*run.series, gap))
        at = {id(series): index for index, series in enumerate(known.series)}
        self.run = known
        self.subjects = (
            *_losses(run),
            *(
                Subject(key_of(series), (at[id(gap)] if _is_gap(series) else at[id(series)],))
                for series in rows(run)
            ),
        )

    def find(self, key: str) -> Subject | None:
        """The subject of a key; the first one where there is none such, None without any."""
        first = self.subjects[0] if self.subjects else None
        return next((one for one in self.subjects if one.key == key), first)

    def beyond(self, key: str, by: int) -> Subject | None:
        """The subject some places further, round the ends."""
        here = self.find(key)
        if here is None:
            return None
        return self.subjects[(self.subjects.index(here) + by) % len(self.subjects)]

    def _gap_of(self, run: RunSnapshot) -> Series | None:
        train, evaluated, gap = self._gap
        if run.train_loss is not train or run.eval_loss is not evaluated:
            gap = gap_series(run)
            self._gap = (run.train_loss, run.eval_loss, gap)
        return gap


def _is_gap(series: Series) -> bool:
    return series.meaning.key == "gap"


def _losses(run: RunSnapshot) -> tuple[Subject, ...]:
    train, evaluated = run.train, run.eval
    if train is None or evaluated is None:
        return tuple(
            Subject(key_of(run.series[index]), (index,))
            for index in (train, evaluated)
            if index is not None
        )
    return (
        Subject(LOSSES, (train, *eval_sets(run))),
        Subject(key_of(run.series[train]), (train,), (evaluated,)),
        Subject(key_of(run.series[evaluated]), (evaluated,), (train,)),
    )
