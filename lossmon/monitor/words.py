"""What is worth a word about the series of a run: unclear names, ranks that lag behind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossmon.hardware.nodes import is_recorded
from lossmon.monitor.life import stride
from lossmon.types import Kind, Series

SHOWN = 4
"""Tags that a note quotes."""

LAG = 3
"""Usual strides that another rank may be behind: what one flush of its output holds back."""

ENOUGH = 5
"""Points from which a series may be the loss: an epoch's mean is rarer at the beginning."""

_RANK = re.compile(r"(?:^| )rank[-_]?(\d+)$")
_MEASURED = re.compile(r"(?:^|[/_. ])(?:time|memory|mem|bytes)(?:[/_. ]|$)", re.IGNORECASE)
"""Names of what nobody minimises: how long something took and how much room it had."""
_CONTROL = re.compile(r'[\x00-\x1f\x7f"\\]')


def words(series: Sequence[Series], train: int | None, eval_: int | None) -> tuple[str, ...]:
    """Return the notes about the series of a run.

    Args:
        series: Every scalar.
        train: Index of the headline train loss.
        eval_: Index of the headline eval loss.
    """
    found = [*_twins(series, train, "train_loss"), *_twins(series, eval_, "eval_loss")]
    if train is None and eval_ is None:
        found += _nameless(series)
    if train is not None:
        found += _stragglers(series, series[train])
    return tuple(found)


def _twins(series: Sequence[Series], shown: int | None, setting: str) -> list[str]:
    """Say that several names can be the loss, of which one is shown."""
    if shown is None:
        return []
    head = series[shown]
    others = [one for one in series if one is not head and _rivals(one, head)]
    if not others:
        return []
    names = ", ".join(_quoted(one.tag) for one in others[:SHOWN])
    verb = "is" if len(others) == 1 else "are"
    return [
        f"{_quoted(head.tag)} is shown as {head.meaning.label}, but {names} {verb} called alike; "
        f"if that is the one, say [metrics] {setting} = {_quoted(others[0].tag)} in config.toml"
    ]


def _rivals(one: Series, head: Series) -> bool:
    """Whether another series could as well be the headline: not rarer, and not the same numbers."""
    what = one.meaning
    alike = (what.key, what.part) == (head.meaning.key, head.meaning.part)
    if not alike or what.secondary or what.summary or one.n < max(ENOUGH, head.n / 2):
        return False
    return (one.n, one.last) != (head.n, head.last)


def _nameless(series: Sequence[Series]) -> list[str]:
    """Say which names could be the loss where none is known as one."""
    unclear = [
        one
        for one in series
        if one.meaning.kind is Kind.OTHER
        and not one.meaning.summary
        and one.meaning.key not in ("epoch", "tokens")
        and not is_recorded(one.meaning.key)
        and not _MEASURED.search(one.tag)
        and one.n >= ENOUGH
    ]
    if not unclear:
        return []
    names = ", ".join(_quoted(one.tag) for one in unclear[:SHOWN])
    more = f" and {len(unclear) - SHOWN} more" if len(unclear) > SHOWN else ""
    return [
        f"no loss is known among {names}{more}; if one of them is it, say "
        f"[metrics] train_loss = {_quoted(unclear[0].tag)} in config.toml"
    ]


def _stragglers(series: Sequence[Series], head: Series) -> list[str]:
    """Say which ranks have logged less far than the one that speaks for the run."""
    far = head.last_step - LAG * stride(head)
    behind: list[str] = []
    for one in series:
        rank = _RANK.search(one.meaning.part)
        if rank and one.meaning.kind is Kind.LOSS and one.axis is head.axis and one.last_step < far:
            behind.append(f"rank {rank[1]} at {one.axis.value} {one.last_step:,}")
    if not behind:
        return []
    names = ", ".join(behind[:SHOWN])
    more = f" and {len(behind) - SHOWN} more" if len(behind) > SHOWN else ""
    return [f"behind {head.axis.value} {head.last_step:,}: {names}{more}"]


def _quoted(tag: str) -> str:
    return f'"{_CONTROL.sub("?", tag[:100])}"'
