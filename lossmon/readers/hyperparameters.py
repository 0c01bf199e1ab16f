"""Hyperparameters of a run, as some framework wrote them, and the plan among them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from lossmon.readers.values import MOST_STEPS, number
from lossmon.sanitize import one_line
from lossmon.types import Facts

MOST_SETTINGS = 500
"""Settings that are kept of one source; a Trainer writes about 130."""

LONGEST_SETTING = 300
"""Characters that are kept of one setting."""

_DEPTH = 4
"""Levels of nested settings that are followed."""


def facts_of(settings: Mapping[str, object]) -> Facts:
    """The settings as text, and what they say of the plan.

    `max_steps` and `num_train_epochs` are the Trainer's names; steps, where they are positive,
    override epochs there.
    """
    steps, epochs = settings.get("max_steps"), settings.get("num_train_epochs")
    planned = isinstance(steps, int) and not isinstance(steps, bool) and 0 < steps <= MOST_STEPS
    total_epochs = None
    if not planned and isinstance(epochs, int | float) and 0 < epochs < 1e9:
        total_epochs = float(epochs)
    return Facts(
        total_steps=steps if planned and isinstance(steps, int) else None,
        total_epochs=total_epochs,
        settings=dict(_flat(settings)),
    )


def facts_of_texts(settings: Mapping[str, str]) -> Facts:
    """The same of settings that a tracker keeps as text: the plan is made of numbers again."""
    said: dict[str, object] = dict(settings)
    for name in ("max_steps", "num_train_epochs"):
        planned = number(said.get(name))
        if planned is not None and planned.is_integer():
            said[name] = int(planned)
        elif planned is not None:
            said[name] = planned
    return replace(facts_of(said), settings=dict(settings))


def _flat(
    settings: Mapping[str, object], prefix: str = "", depth: int = 0
) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in settings.items():
        if len(flat) >= MOST_SETTINGS:
            break
        if isinstance(value, dict):
            if depth < _DEPTH:
                flat += _flat(value, f"{prefix}{name}.", depth + 1)
        elif value is not None:
            word = value if isinstance(value, str) else json.dumps(value)
            flat.append((one_line(prefix + name, LONGEST_SETTING), one_line(word, LONGEST_SETTING)))
    return flat[:MOST_SETTINGS]
