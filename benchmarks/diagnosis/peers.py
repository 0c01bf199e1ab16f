"""What others would say of the same curves."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from benchmarks.diagnosis.runs import EVAL, MEANINGS, TRAIN, Run

NOT_INSTALLED = "not installed"

RUNMEDIC_CODES = {
    "non_finite": "non_finite",
    "divergence": "diverging",
    "overfitting": "overfitting",
    "loss_spikes": "spike",
    "no_learning": "underfitting",
    "plateau": "plateau",
    "val_below_train": "easy_eval",
}
"""The verdict of the `check` contract that each of runmedic's checks comes nearest to."""

TRAINSPOTTER_CODES = {
    "divergence": "diverging",
    "overfitting": "overfitting",
    "spikes": "spike",
    "spike": "spike",
    "plateau": "plateau",
    "eval_noise": "oscillating",
}
"""The same for trainspotter's detectors."""


@dataclass(frozen=True)
class Said:
    """What a peer said of a finished run: its verdict and whether it warned."""

    code: str
    warned: bool
    found: frozenset[str]


def installed(name: str) -> ModuleType | None:
    """A peer's module, None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def version(name: str) -> str:
    """A peer's name and version, or that it is not installed."""
    module = installed(name)
    if module is None:
        return f"{name} ({NOT_INSTALLED})"
    return f"{name} {getattr(module, '__version__', '')}".strip()


def runmedic(run: Run) -> Said | None:
    """runmedic's report on the finished run, as its command line gives it."""
    if installed("runmedic") is None:
        return None
    model = importlib.import_module("runmedic.model")
    roles = importlib.import_module("runmedic.roles")
    checks = importlib.import_module("runmedic.checks")
    theirs = model.Run(run.name, "csv", "")
    for which, name in _names(run).items():
        for step, value in zip(*run.curve(which), strict=True):
            theirs.get(name).add(float(step), float(value))
    theirs.finalize()
    findings = checks.run_checks(theirs, roles.detect(theirs))
    order = {"critical": 0, "warning": 1, "info": 2}
    ranked = sorted(findings, key=lambda finding: order[finding.severity])
    return _said([(f.check, f.severity in ("critical", "warning")) for f in ranked], RUNMEDIC_CODES)


def trainspotter(run: Run) -> Said | None:
    """trainspotter's report on the finished run."""
    module = installed("trainspotter")
    if module is None:
        return None
    theirs = module.Run()
    for which, name in _names(run).items():
        for step, value in zip(*run.curve(which), strict=True):
            theirs.add_point(name, int(step), float(value))
    theirs.finalize()
    findings = module.run_all(theirs)
    heard = [(_detector(f), str(f.severity).lower() in ("error", "warning")) for f in findings]
    return _said(heard, TRAINSPOTTER_CODES)


def _detector(finding: object) -> str:
    return str(getattr(finding, "detector", getattr(finding, "check", "")))


def _names(run: Run) -> dict[int, str]:
    return {int(which): MEANINGS[which].key for which in np.unique(run.series)}


def _said(heard: list[tuple[str, bool]], codes: dict[str, str]) -> Said:
    named = [(codes[check], warned) for check, warned in heard if check in codes]
    code = named[0][0] if named else "healthy"
    warned = any(warned for _, warned in heard)
    return Said(code, warned, frozenset(code for code, _ in named))


def early_stopping(patience: int) -> Callable[[Run], int | None]:
    """Plain early stopping: the step at which it would stop, None if it never does."""

    def stop(run: Run) -> int | None:
        best, waited = math.inf, 0
        for step, value in zip(*run.curve(EVAL), strict=True):
            if value < best:
                best, waited = value, 0
            else:
                waited += 1
            if waited >= patience:
                return int(step)
        return None

    return stop


ONE_LINE_RISE = 1.036


def one_line(run: Run) -> bool:
    """The last 5 % of the eval loss lie, in the median, 3.6 % above its smoothed minimum."""
    values = run.resumed()[1]
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return False
    width = max(1, len(values) // 100)
    smooth = np.convolve(values, np.ones(width) / width, "valid")
    tail = values[-max(1, len(values) // 20) :]
    return bool(np.median(tail) > ONE_LINE_RISE * smooth.min())


def has_losses(run: Run) -> bool:
    """The run holds a train and an eval loss."""
    return {TRAIN, EVAL} <= set(run.series.tolist())
