"""Runs that are kept in a SQLite database: MLflow, Trackio, Optuna."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from lossmon.readers.database_accounts import (
    Account,
    Logged,
    MlflowAccount,
    OptunaAccount,
    TrackioAccount,
)
from lossmon.readers.format import Format
from lossmon.readers.layout import MOST_TAGS
from lossmon.readers.sqlite_file import MAGIC, BusyError, table_names, visit
from lossmon.types import Batch, Facts, Points

RANK = 30
"""Full precision with explicit steps, written in batches."""


class DatabaseReader:
    """Reads the newest run of a database.

    Args:
        path: The database.
        source: Name of the family.
        account: What its tables mean.
    """

    def __init__(self, path: Path, source: str, account: Callable[[], Account]) -> None:
        self.path = path
        self.source = source
        self._account = account()
        self._order = 0
        self._facts: Facts | None = None

    def read(self, deadline: float) -> Batch:
        """Return what was logged since the last call.

        Raises:
            ReadError: It is not a database, is corrupt, or answers too slowly.
        """
        try:
            with visit(self.path) as connection:
                news = self._account.news(connection)
        except FileNotFoundError:
            return Batch()
        except BusyError:
            return Batch(pending=1)
        facts = () if news.facts is None or news.facts == self._facts else (news.facts,)
        if news.values and news.facts is not None:
            facts = (news.facts,)
        self._facts = news.facts
        points = tuple(_points(news.values, self._order))
        self._order += len(news.values)
        return Batch(
            points=points,
            facts=facts,
            notes=tuple(news.notes),
            replaced=news.replaced,
            pending=int(news.more),
        )


def _points(values: Iterable[Logged], first: int) -> Iterable[Points]:
    series: dict[str, list[tuple[int, Logged]]] = {}
    for order, logged in enumerate(values, first):
        if logged.tag in series or len(series) < MOST_TAGS:
            series.setdefault(logged.tag, []).append((order, logged))
    for tag, rows in series.items():
        yield Points(
            tag,
            np.array([max(0, min(one.step, 2**62)) for _, one in rows], np.int64),
            np.array([one.wall_time for _, one in rows], np.float64),
            np.array([one.value for _, one in rows], np.float64),
            np.array([order for order, _ in rows], np.int64),
            rows[0][1].axis,
        )


def _claims(*tables: str) -> Callable[[Path, bytes], bool]:
    def claims(path: Path, head: bytes) -> bool:
        return head.startswith(MAGIC) and table_names(path).issuperset(tables)

    return claims


def _opener(source: str, account: Callable[[], Account]) -> Callable[[Path], DatabaseReader]:
    return lambda path: DatabaseReader(path, source, account)


NAMES = ("*.db", "*.sqlite", "*.sqlite3")

FORMATS = (
    Format(
        source="mlflow",
        title="MLflow database",
        names=NAMES,
        claims=_claims("runs", "metrics", "latest_metrics"),
        open=_opener("mlflow", MlflowAccount),
        rank=RANK,
    ),
    Format(
        source="trackio",
        title="Trackio database",
        names=NAMES,
        claims=_claims("metrics", "configs", "system_metrics"),
        open=_opener("trackio", TrackioAccount),
        rank=RANK,
    ),
    Format(
        source="optuna",
        title="Optuna database",
        names=NAMES,
        claims=_claims("studies", "trials", "trial_intermediate_values"),
        open=_opener("optuna", OptunaAccount),
        rank=RANK,
    ),
)
