"""Conditions of a policy in reinforcement learning, seen in its reward, KL, entropy and lengths.

Definitions: https://huggingface.co/docs/trl/grpo_trainer (logged metrics), DAPO
(https://arxiv.org/abs/2503.14476: entropy collapse, groups without variance), Gao et al.
(https://arxiv.org/abs/2210.10760: over-optimisation of a reward model).
"""

from __future__ import annotations

from lossmon.diagnosis.facts import facts, percent
from lossmon.diagnosis.policy_curves import PolicyCurve, PolicyQuantity
from lossmon.diagnosis.signals import Signals
from lossmon.types import Confidence, Finding, Severity

POINTS = 20
"""Points of a quantity before it is judged."""

REAL_GAIN = 3.0
"""Typical distances of neighbouring rewards that a gain must exceed to be one."""

REWARD_LOST = 0.6
"""Share of the gained reward whose loss is a collapse: noise and a harder batch cost less."""

HELD = (0.2, 0.5)
"""Shares of the run between which a reward that never rose must have kept its first level."""

FALLEN = 0.5
"""Share of its size, before or now, by which such a reward must have fallen: 0.98 is near to 1."""

COLLAPSE_SHARE = 0.15
"""Share of the run for which the reward must have been low: a few bad episodes are none."""

PLUNGE_POINTS = 5
"""Newest points that must all be down for a plunge, which is a collapse without waiting."""

PLUNGE_LOST = 0.8
"""Share of the gained reward that each of them must have lost."""

PLUNGE_NOISES = 10.0
"""Typical distances of neighbouring rewards that the same loss must exceed."""

KL_GROWTH = 8.0
"""Times its early level at which the KL has blown up."""

KL_LEAST = 1.0
"""Nats from the reference policy below which growth is learning."""

UPDATE_KL_LEAST = 0.1
"""The same for one update; the usual targets are 0.01 to 0.05."""

ENTROPY_LEFT = 1 / 16
"""Share of the first entropy at which hardly any exploration is left."""

LENGTH_GROWTH = 2.0
"""Times the first length at which responses have exploded where most are cut off."""

LENGTH_ALONE = 2.5
"""The same where the log does not say how many are cut off."""

CUT_OFF = 0.5
"""Share of responses cut off that counts as most."""

NO_VARIANCE = 0.8
"""Share of groups without variance at which hardly any gradient is left."""

SUSPECT_LENGTH = 1.5
"""Times the first length at which a reward that rises with the KL is suspected of being gamed."""

SUSPECT_KL = 0.3
"""Nats from the reference policy at which the same is suspected."""


def reward_collapse(signals: Signals) -> Finding | None:
    """The reward has lost most of what it had gained, or is far below a level that it had held."""
    reward = _curve(signals, PolicyQuantity.REWARD)
    if reward is None:
        return None
    smooth = reward.smooth
    top = int(smooth.argmax())
    # A reward that falls from the first point on has learnt nothing that it could lose.
    peak, start, now = float(smooth[top]), max(reward.start, float(smooth[0])), reward.now
    gain, least = peak - start, REAL_GAIN * reward.drift
    if gain < least or gain <= 0:
        gain = PLUNGE_NOISES * reward.drift / REWARD_LOST
        is_far = peak - now >= FALLEN * max(abs(peak), abs(now))
        if gain <= 0 or not is_far or reward.level(*HELD) < start - least:
            return None
    if peak - now < REWARD_LOST * gain / signals.sensitivity or now >= peak:
        return None
    since = reward.onset(smooth < peak - REWARD_LOST / 2 * gain)
    latest = reward.x[0] + (1 - COLLAPSE_SHARE) * (reward.x[-1] - reward.x[0])
    if since > latest and not _plunged(reward, peak, signals.sensitivity):
        return None
    return _found("reward_collapse", Severity.WARNING, since, peak=peak, now=now)


def _plunged(reward: PolicyCurve, peak: float, sensitivity: float) -> bool:
    """The newest rewards are all so far below the peak that no bad episodes explain it."""
    lost = peak - float(reward.y[-PLUNGE_POINTS:].max())
    least = max(PLUNGE_LOST * (peak - reward.start), PLUNGE_NOISES * reward.noise)
    return lost >= least / sensitivity


def kl_blowup(signals: Signals) -> Finding | None:
    """The policy drifts away from its reference without gaining reward."""
    for quantity, least in (
        (PolicyQuantity.KL, KL_LEAST),
        (PolicyQuantity.UPDATE_KL, UPDATE_KL_LEAST),
    ):
        kl = _curve(signals, quantity)
        if kl is None:
            continue
        early = max(kl.level(0.1, 0.4), least / KL_GROWTH)
        if kl.now > KL_GROWTH * early / signals.sensitivity:
            since = kl.onset(kl.smooth > 0.25 * kl.now)
            if _still_gains(signals, since):
                return None
            return _found("kl_blowup", Severity.WARNING, since, now=kl.now, early=early)
    return None


def _still_gains(signals: Signals, since: int) -> bool:
    """The reward has risen since a step, beyond its noise."""
    reward = _curve(signals, PolicyQuantity.REWARD)
    if reward is None:
        return False
    at = min(int(reward.x.searchsorted(since)), len(reward) - 1)
    return reward.now - float(reward.smooth[at]) > REAL_GAIN / 2 * reward.noise


def entropy_collapse(signals: Signals) -> Finding | None:
    """The policy has stopped exploring."""
    entropy = _curve(signals, PolicyQuantity.ENTROPY)
    if entropy is None:
        turned = _curve(signals, PolicyQuantity.ENTROPY_LOSS)
        entropy = None if turned is None else PolicyCurve(turned.x, -turned.y)
    if entropy is None or not 0 <= entropy.now < ENTROPY_LEFT * signals.sensitivity * entropy.start:
        return None
    since = entropy.onset(entropy.smooth < 0.2 * entropy.start)
    return _found("entropy_collapse", Severity.WARNING, since, now=entropy.now, start=entropy.start)


def length_explosion(signals: Signals) -> Finding | None:
    """The responses have grown until most are cut off."""
    length, cut = _curve(signals, PolicyQuantity.LENGTH), _curve(signals, PolicyQuantity.CLIPPED)
    if length is None or not length.start > 0:
        return None
    most = cut is not None and cut.now > CUT_OFF
    if cut is not None and not most:
        return None
    least = LENGTH_GROWTH if most else LENGTH_ALONE
    if length.now < least / signals.sensitivity * length.start:
        return None
    since = length.onset(length.smooth > 0.75 * least * length.start)
    return _found("length_explosion", Severity.WARNING, since, now=length.now, start=length.start)


def zero_variance_groups(signals: Signals) -> Finding | None:
    """All samples of nearly every group get the same reward: no advantage, no gradient."""
    share = _curve(signals, PolicyQuantity.ZERO_STD)
    if share is None or share.level(0.5, 1.0) < NO_VARIANCE / signals.sensitivity:
        return None
    since = share.onset(share.smooth > 0.9 * NO_VARIANCE)
    return _found("zero_variance_groups", Severity.NOTICE, since, share_percent=percent(share.now))


def reward_hacking(signals: Signals) -> Finding | None:
    """Reward, KL and length have all risen: the policy may be gaming the reward."""
    reward, length = (_curve(signals, q) for q in (PolicyQuantity.REWARD, PolicyQuantity.LENGTH))
    kl = _curve(signals, PolicyQuantity.KL)
    if reward is None or length is None or kl is None:
        return None
    if reward.now - reward.start < REAL_GAIN * reward.noise or kl.now < SUSPECT_KL:
        return None
    if length.now < SUSPECT_LENGTH / signals.sensitivity * max(length.start, 1e-9):
        return None
    since = length.onset(length.smooth > length.start + 0.5 * (length.now - length.start))
    found = {"reward": reward.now, "kl": kl.now, "now": length.now, "start": length.start}
    return _found("reward_hacking", Severity.NOTICE, since, Confidence.LOW, **found)


def _curve(signals: Signals, quantity: PolicyQuantity) -> PolicyCurve | None:
    """One quantity with points enough to judge."""
    curve = signals.policy.get(quantity)
    return None if curve is None or len(curve) < POINTS else curve


def _found(
    code: str,
    severity: Severity,
    since: int,
    confidence: Confidence = Confidence.MEDIUM,
    **numbers: float,
) -> Finding:
    return Finding(code, severity, since, confidence, facts(**numbers))
