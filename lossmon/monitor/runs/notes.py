"""Notes on the series of a run: ambiguous tags, ranks that lag behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lossmon.lazy_pattern import lazy_pattern
from lossmon.monitor.runs.run_state import stride
from lossmon.types import AmbiguityReason, AmbiguousTag, Kind, Series

SHOWN = 4
"""Tags quoted per note."""

LAG = 3
"""Usual strides that another rank may lag: one flush of buffered output."""

_RANK = re.compile(r"(?:^| )rank[-_]?(\d+)$")
_CONTROL = lazy_pattern(r'[\x00-\x1f\x7f"\\]')


def notes_on(
    series: Sequence[Series], train: int | None, ambiguous: Sequence[AmbiguousTag]
) -> tuple[str, ...]:
    """Return the notes about the series of a run.

    Args:
        train: Index of the headline train loss.
        ambiguous: Those of them whose tag is ambiguous.
    """
    found = [*_twins(series, ambiguous), *_nameless(ambiguous)]
    if train is not None:
        found += _stragglers(series, series[train])
    return tuple(found)


def _twins(series: Sequence[Series], ambiguous: Sequence[AmbiguousTag]) -> Iterator[str]:
    """Notes on tags that have the same meaning as a loss that is shown."""
    alike = [one for one in ambiguous if one.reason is AmbiguityReason.CALLED_ALIKE]
    for shown in dict.fromkeys(one.shown for one in alike):
        others = [one for one in alike if one.shown == shown]
        names = ", ".join(_quoted(one.tag) for one in others[:SHOWN])
        verb = "is" if len(others) == 1 else "are"
        label = next(one.meaning.label for one in series if one.tag == shown)
        yield (
            f"{_quoted(shown)} is shown as {label}, but {names} {verb} named alike; to use another "
            f"one, set [metrics] {others[0].candidates[0]} = {_quoted(others[0].tag)} "
            "in config.toml"
        )


def _nameless(ambiguous: Sequence[AmbiguousTag]) -> Iterator[str]:
    """Note on tags that may be the loss where none is known as one."""
    found = [one for one in ambiguous if one.reason is AmbiguityReason.NO_LOSS]
    if found:
        names = ", ".join(_quoted(one.tag) for one in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        yield (
            f"no loss is recognised among {names}{more}; if one of them is the loss, set "
            f"[metrics] train_loss = {_quoted(found[0].tag)} in config.toml"
        )


def _stragglers(series: Sequence[Series], head: Series) -> list[str]:
    """Note on ranks whose newest step is behind that of the headline loss."""
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
