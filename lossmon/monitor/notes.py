"""What is worth a word about the series of a run: unclear names, ranks that lag behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lossmon.monitor.run_state import stride
from lossmon.types import AmbiguityReason, AmbiguousTag, Kind, Series

SHOWN = 4
"""Tags that a note quotes."""

LAG = 3
"""Usual strides that another rank may be behind: what one flush of its output holds back."""

_RANK = re.compile(r"(?:^| )rank[-_]?(\d+)$")
_CONTROL = re.compile(r'[\x00-\x1f\x7f"\\]')


def words(
    series: Sequence[Series], train: int | None, asked: Sequence[AmbiguousTag]
) -> tuple[str, ...]:
    """Return the notes about the series of a run.

    Args:
        series: Every scalar.
        train: Index of the headline train loss.
        asked: Those of them that are unclear.
    """
    found = [*_twins(series, asked), *_nameless(asked)]
    if train is not None:
        found += _stragglers(series, series[train])
    return tuple(found)


def _twins(series: Sequence[Series], asked: Sequence[AmbiguousTag]) -> Iterator[str]:
    """Say that several names can be the loss, of which one is shown."""
    alike = [one for one in asked if one.reason is AmbiguityReason.CALLED_ALIKE]
    for shown in dict.fromkeys(one.shown for one in alike):
        others = [one for one in alike if one.shown == shown]
        names = ", ".join(_quoted(one.tag) for one in others[:SHOWN])
        verb = "is" if len(others) == 1 else "are"
        label = next(one.meaning.label for one in series if one.tag == shown)
        yield (
            f"{_quoted(shown)} is shown as {label}, but {names} {verb} called alike; if that is "
            f"the one, say [metrics] {others[0].candidates[0]} = {_quoted(others[0].tag)} "
            "in config.toml"
        )


def _nameless(asked: Sequence[AmbiguousTag]) -> Iterator[str]:
    """Say which names could be the loss where none is known as one."""
    found = [one for one in asked if one.reason is AmbiguityReason.NO_LOSS]
    if found:
        names = ", ".join(_quoted(one.tag) for one in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        yield (
            f"no loss is known among {names}{more}; if one of them is it, say "
            f"[metrics] train_loss = {_quoted(found[0].tag)} in config.toml"
        )


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
