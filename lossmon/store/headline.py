"""Choice of the headline losses of a run, and the order of its series on the screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.types import Axis, Kind, Meaning, Series, Split

Candidate = tuple[str, Meaning, int, Axis]
"""Key, meaning, number of points, axis."""


_TWIN = re.compile(r"(?<=loss)_(?:step|epoch)$")
"""Ends the key of a loss that repeats another one, per epoch or per step."""

_REGULARIZER = lazy_pattern(r"(?:^|(?<!cross)[/_ ])(?:entropy|kld?|ref_?kl)(?=[/_ ])")
"""Names a term that only restrains the loss beside it: verl's `actor/entropy_loss`."""


STAND_INS = (
    *("perplexity", "nll", "mse", "rmse", "mae", "mape", "l1", "huber"),
    *("bpb", "bpc", "bpd", "wer", "cer", "error"),
)
"""Metrics that stand for the loss of a run which logs none, the first of them that it has."""


def stand_ins(meanings: Sequence[Meaning]) -> frozenset[str]:
    """Keys of the metrics that are as good as losses, because the run does not log any total.

    A run may log nothing but perplexities. Where components of a loss are logged, a metric stands
    for it only if it is measured on both sets and no component is measured on held-out data.
    """
    losses = [one for one in meanings if one.kind is Kind.LOSS and not one.summary]
    if any(not one.part or one.split is Split.EVAL for one in losses):
        return frozenset()
    lower = {one.key for one in meanings if one.kind is Kind.METRIC and one.lower_is_better}
    for name in STAND_INS:
        train = f"train/{name}"
        held_out = f"eval/{name}" if f"eval/{name}" in lower else f"test/{name}"
        if not losses or {train, held_out} <= lower:
            found = lower & {train, held_out}
            if found:
                return frozenset(found)
    return frozenset()


@dataclass(frozen=True, slots=True)
class Headlines:
    """Keys of the headline train loss and eval loss; None where there is none."""

    train: str | None = None
    eval: str | None = None


def headlines(candidates: Sequence[Candidate]) -> Headlines:
    """Choose the headline losses.

    A total precedes a component or one of several eval sets, a policy's loss the entropy and the
    KL divergence that restrain it, a raw series a running mean, the
    plain name a longer one, a logged total a sum of components. Where the eval loss counts
    something else than the best train loss (epochs instead of batches), a train loss on the same
    axis is preferred: two curves that cannot share an axis cannot be compared. Of a loss that is
    logged per step and per epoch, the denser one leads.
    """
    candidates = _denser_twins_first(candidates)
    evals = _ranked(candidates, Split.EVAL)
    trains = _ranked(candidates, Split.TRAIN)
    eval_ = evals[0] if evals else None
    train = trains[0] if trains else None
    if train and eval_ and train[3] is not eval_[3]:
        train = next((t for t in trains if t[3] is eval_[3] and not t[1].part), train)
    return Headlines(train[0] if train else None, eval_[0] if eval_ else None)


def _denser_twins_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Let the repeat of a loss take its place where it has more points.

    Lightning logs `loss_step` at every 50th step: where an epoch has fewer, `loss_epoch` is denser.
    """
    points = {key: n for key, _, n, _ in candidates}
    swapped = {
        base
        for key, n in points.items()
        if (base := _TWIN.sub("", key)) != key and n > points.get(base, n)
    }
    return [
        (key, replace(what, secondary=key in swapped), n, axis)
        if _TWIN.sub("", key) in swapped
        else (key, what, n, axis)
        for key, what, n, axis in candidates
    ]


def _ranked(candidates: Sequence[Candidate], split: Split) -> list[Candidate]:
    fitting = [
        candidate
        for candidate in candidates
        if candidate[1].kind is Kind.LOSS
        and candidate[1].split is split
        and not candidate[1].summary
    ]
    return sorted(fitting, key=lambda candidate: _place(candidate, f"{split}/loss"))


def _place(candidate: Candidate, plain: str) -> tuple[bool, bool, bool, bool, bool, int, str]:
    key, meaning, n, _ = candidate
    summed = bool(meaning.sum_of)
    restrains = bool(meaning.part) and _REGULARIZER.search(key) is not None
    return (bool(meaning.part), restrains, meaning.secondary, summed, key != plain, -n, key)


def ordered(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """Sort series for the screen: losses, metrics, learning rate, gradient norm, the rest."""
    return tuple(sorted(series, key=_screen_place))


_KINDS = (
    Kind.LOSS,
    Kind.METRIC,
    Kind.LEARNING_RATE,
    Kind.GRAD_NORM,
    Kind.THROUGHPUT,
    Kind.OTHER,
)


def _screen_place(series: Series) -> tuple[int, bool, bool, bool, str, str]:
    meaning = series.meaning
    return (
        _KINDS.index(meaning.kind),
        bool(meaning.part),
        meaning.secondary,
        meaning.split is Split.EVAL,
        meaning.label,
        series.tag,
    )
