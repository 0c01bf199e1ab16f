"""Main charts of a run: which series have a pane of their own on the dashboard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import Kind, RunSnapshot, Series, Split

MOST_EVAL_SETS = 4
"""Eval sets that are drawn in one chart; more lines could not be told apart."""

_REWARD, _KL, _LENGTH, _MARGIN, _ACCURACY = (
    lazy_pattern(pattern)
    for pattern in (
        r"(^|/)((ep(isode)?_)?(mean_)?(rew(ard)?|return|score)s?(_(mean|avg))?)$|ep_rew_mean$",
        r"(^|[/_])(mean_)?kl([/_](div|mean|avg|loss|penalty|divergence))?$",
        r"(^|/)((ep(isode)?|rollout_ep|responses?|completions?|generation)[/_])?((mean|avg)_)?"
        r"len(gth)?s?([/_](mean|avg))?$",
        r"rewards?[/_]margins?$",
        r"rewards?[/_]accurac(y|ies)$",
    )
)


def eval_sets(run: RunSnapshot) -> tuple[int, ...]:
    """Indices of the losses of all eval sets, the headline one first; empty without any.

    Where the headline is a total, what has a part is a component of it and no other set.
    """
    if run.eval is None:
        return ()
    headline = run.series[run.eval]
    if not headline.meaning.part:
        return (run.eval,)
    others = [
        index
        for index, one in enumerate(run.series)
        if index != run.eval and _is_set_beside(one, headline)
    ]
    return (run.eval, *others[: MOST_EVAL_SETS - 1])


def _is_set_beside(one: Series, headline: Series) -> bool:
    meaning = one.meaning
    is_loss = meaning.kind is Kind.LOSS and meaning.split is Split.EVAL and not meaning.summary
    return is_loss and bool(meaning.part) and one.axis is headline.axis and len(one) > 0


def reward_charts(run: RunSnapshot) -> tuple[tuple[int, ...], ...]:
    """What leads in runs whose loss says little: reward, KL and length, or margin and accuracy of
    the rewards, and then the loss; empty for other runs, or where none of it is logged."""
    codes = run.diagnosis.missing
    wanted: list[tuple[re.Pattern[str], ...]]
    if "reward_loss" in codes:
        wanted = [(_REWARD,), (_KL,), (_LENGTH,)]
    elif "preference_loss" in codes:
        wanted = [(_MARGIN, _REWARD), (_ACCURACY,), (_KL, _LENGTH)]
    else:
        return ()
    charts = [chart for patterns in wanted if (chart := _first_of(run, patterns))]
    losses = () if run.train is None else (run.train, *eval_sets(run)[:1])
    return tuple([*charts, losses] if charts and losses else charts)


def _first_of(run: RunSnapshot, patterns: Sequence[re.Pattern[str]]) -> tuple[int, ...]:
    for pattern in patterns:
        found = [index for index, one in enumerate(run.series) if _matches(one, pattern)]
        if found:
            lead = min(found, key=lambda index: run.series[index].meaning.split is Split.EVAL)
            twin = [index for index in found if _is_twin(run.series[index], run.series[lead])]
            return (lead, *twin[:1])
    return ()


def _matches(one: Series, pattern: re.Pattern[str]) -> bool:
    is_curve = len(one) > 0 and not one.meaning.summary
    return is_curve and any(pattern.search(name.lower()) for name in (one.meaning.key, one.tag))


def _is_twin(one: Series, lead: Series) -> bool:
    """Whether it is the same quantity on eval data."""
    name = one.meaning.key.partition("/")[2]
    is_other = one.meaning.split is Split.EVAL and lead.meaning.split is not Split.EVAL
    return is_other and name == lead.meaning.key.partition("/")[2] and one.axis is lead.axis
