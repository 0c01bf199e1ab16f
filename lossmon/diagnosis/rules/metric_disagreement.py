"""Disagreement of the eval loss and a task metric."""

from __future__ import annotations

import numpy as np

from lossmon.diagnosis.curve_stats import CurveStats
from lossmon.diagnosis.facts import facts, fall_percent, rise_percent
from lossmon.diagnosis.noise import noise_of
from lossmon.diagnosis.signals import Signals
from lossmon.diagnosis.state import Channel, LossKind
from lossmon.types import Confidence, Finding, Severity

PAIRS = 5
"""Evals with both loss and metric before they can disagree: fewer are chance."""

LOSS_MOVED = 0.05
"""Log change of the eval loss since the best of the other quantity that counts as a move."""

METRIC_LOST = 0.05
"""Relative loss of the metric, while the eval loss improves, that is reported."""

NOISES = 3.0
"""Standard deviations of single evals from which a change of the metric is one; they are taken for
0.2 % of the metric at least. Task metrics move little when it matters."""


def metric_disagreement(signals: Signals) -> Finding | None:
    """Eval loss and metric have moved in opposite directions since one of them was at its best."""
    evals = signals.eval
    if evals is None or len(evals) < PAIRS or signals.kind is LossKind.ADVERSARIAL:
        return None
    found = [_compare(signals, channel, evals) for channel in signals.metrics]
    better = [one for one in found if one is not None and one.variant == "metric_better"]
    worse = [one for one in found if one is not None and one.variant == "metric_worse"]
    if better:
        return better[0]
    # One of several metrics often falls by itself, as precision while recall rises.
    return worse[0] if len(worse) > len(found) / 2 else None


def _compare(signals: Signals, channel: Channel, evals: CurveStats) -> Finding | None:
    if channel.curve is None or channel.curve.points < PAIRS:
        return None
    metric = CurveStats(channel.curve.bins)
    good = -metric.y if channel.lower_is_better else metric.y
    scale = max(float(np.max(np.abs(metric.y))), 1e-12)
    noise = noise_of(metric.y / scale)
    best_loss = float(evals.x[signals.eval_best])
    at_best = int(np.searchsorted(metric.x, best_loss))
    at_best = min(at_best, len(good) - 1)
    late = float(np.mean(good[-2:]))
    gain = (late - float(good[at_best])) / scale
    loss_rise = signals.eval_now - float(signals.eval_log[signals.eval_best])
    evidence = facts(
        metric=channel.key,
        metric_now=float(metric.y[-1]),
        metric_then=float(metric.y[at_best]),
        best_step=int(best_loss),
        loss_percent=signals.share(rise_percent(loss_rise)),
    )
    if loss_rise > LOSS_MOVED and gain > NOISES * noise:
        return Finding(
            "metric_disagreement",
            Severity.NOTICE,
            int(best_loss),
            Confidence.MEDIUM,
            evidence,
            "metric_better",
        )
    top = int(good.argmax())
    lost = (float(good[top]) - late) / scale
    since = float(np.interp(metric.x[top], evals.x, signals.eval_log)) - signals.eval_now
    if since > LOSS_MOVED and lost > max(METRIC_LOST, NOISES * noise) and top < len(good) - 3:
        evidence["best_step"] = int(metric.x[top])
        evidence["metric_then"] = float(metric.y[top])
        evidence |= facts(loss_percent=signals.share(fall_percent(since)))
        return Finding(
            "metric_disagreement",
            Severity.NOTICE,
            int(metric.x[top]),
            Confidence.LOW,
            evidence,
            "metric_worse",
        )
    return None
