"""The settings in which runs differ: what a comparison of their curves is about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lossmon.fast_dataclass import dataclass

_FIRST = (
    *("learning_rate", "lr", "lr0", "base_lr", "max_lr"),
    *("batch_size", "per_device_train_batch_size", "train_batch_size"),
    *("gradient_accumulation_steps", "num_train_epochs", "epochs", "max_epochs", "max_steps"),
    *("warmup_steps", "warmup_ratio", "weight_decay", "lr_scheduler_type"),
    *("optimizer", "optim", "dropout", "seed"),
)
"""What is changed most often, in the order in which people name it."""

_BOOKKEEPING = frozenset(
    {
        *("output_dir", "logging_dir", "log_dir", "save_dir", "save_path", "run_dir", "work_dir"),
        *("run_name", "run_id", "job_id", "name", "exp_name", "experiment_name", "project"),
        *("version", "date", "time", "timestamp", "start_time", "uuid", "url", "command", "cmd"),
        *("host", "hostname", "user", "pid", "local_rank", "hub_model_id", "hub_token"),
    }
)
"""Settings that differ in every run and explain nothing: they name it."""


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """A setting that is not the same everywhere.

    Attributes:
        name: Its name; levels are joined by dots.
        values: Its value in each run, None where the run does not record it.
        aside: It belongs to the bookkeeping: it names the run, it does not make it another.
    """

    name: str
    values: tuple[str | None, ...]
    aside: bool = False


def differing(settings: Sequence[Mapping[str, str]]) -> list[SettingDifference]:
    """The settings in which runs differ, the most important first.

    A run without settings differs in none. Numbers are equal however they are
    spelled (`1e-3`, `0.001`).

    Args:
        settings: Those of each run, in the order of `SettingDifference.values`.
    """
    known_settings = [one for one in settings if one]
    if len(known_settings) < 2:
        return []
    names = dict.fromkeys(name for one in known_settings for name in one)
    found = []
    for name in names:
        if len({_normal(one.get(name)) for one in known_settings}) > 1:
            values = tuple(one.get(name) for one in settings)
            found.append(SettingDifference(name, values, _is_aside(name)))
    return sorted(found, key=_rank)


def _normal(value: str | None) -> object:
    if value is None:
        return None
    text = value.strip().strip("'\"")
    try:
        number = float(text)
    except ValueError:
        return text.lower() if text.lower() in ("true", "false", "none", "null") else text
    return number if math.isfinite(number) else text.lower()


def _leaf(name: str) -> str:
    return name.lower().replace("-", "_").replace("/", ".").rsplit(".", 1)[-1]


def _is_aside(name: str) -> bool:
    return name.startswith("_") or _leaf(name) in _BOOKKEEPING


def _rank(setting: SettingDifference) -> tuple[bool, int, int, str]:
    leaf = _leaf(setting.name)
    known = _FIRST.index(leaf) if leaf in _FIRST else len(_FIRST)
    missing = sum(value is None for value in setting.values)
    return setting.aside, known, missing, setting.name
