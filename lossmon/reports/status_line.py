"""Status line of tmux: the verdict of the run that matters most."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lossmon.diagnosis.advice import badge_of
from lossmon.locale import translate
from lossmon.sanitize import cells
from lossmon.types import RunSnapshot, RunState, Severity

SYMBOLS = {
    Severity.NEUTRAL: "…",
    Severity.OK: "✓",
    Severity.NOTICE: "◆",
    Severity.WARNING: "▲",
    Severity.CRITICAL: "✖",
}
"""As on the badge: the shape tells the severity without a colour."""

NAME = 20
"""Characters of a run's name: a status line is shared with others."""


def status_line(runs: Sequence[RunSnapshot], language: str) -> str:
    """`✓ healthy 0.61 41% ETA 14m`; of several runs the worst, with its name.

    The line is plain text for tmux: whatever tmux would expand is doubled.

    Args:
        language: `en` or `zh`.
    """
    run = max(runs, key=_urgency)
    verdict = run.diagnosis.verdict
    word = badge_of(verdict.code, verdict.variant, language)
    parts = [SYMBOLS[verdict.severity], word.lower() if word.isascii() else word]
    loss = run.train_loss or run.eval_loss
    if loss is not None and loss.n:
        parts.append(f"{loss.last:.3g}")
    if run.steps_done is not None and run.total_steps:
        parts.append(f"{math.floor(100 * min(1.0, run.steps_done / run.total_steps))}%")
    parts += _ending(run, language)
    if len(runs) > 1:
        parts += [f"· {run.name[:NAME]}", f"(1/{len(runs)})"]
    return escaped(" ".join(parts))


def escaped(text: str) -> str:
    """Text that tmux shows as it is: it expands `#` in what a command of a status line prints."""
    return cells(text).replace("#", "##")


def _ending(run: RunSnapshot, language: str) -> list[str]:
    if run.state is not RunState.RUNNING:
        return [translate(run.state.value, language)]
    if run.remaining is None or not math.isfinite(run.remaining):
        return []
    return [translate("ETA", language), compact(run.remaining)]


def _urgency(run: RunSnapshot) -> tuple[int, bool, float]:
    is_live = run.state in (RunState.RUNNING, RunState.WAITING)
    return run.diagnosis.verdict.severity, is_live, run.last_time or 0.0


def compact(seconds: float) -> str:
    """A duration in at most two units without blanks: `45s`, `14m`, `2h10m`, `3d4h`."""
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d{hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m" if minutes else f"{whole}s"
