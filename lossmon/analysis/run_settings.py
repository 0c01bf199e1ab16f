"""Settings of runs: those that matter most, and those in which runs differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

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
class ComparedSetting:
    """A setting of several runs.

    Attributes:
        name: Its name; levels are joined by dots.
        values: Its value in each run, None where the run does not record it.
        aside: It belongs to the bookkeeping: it names the run, it does not make it another.
        differs: It is not the same in all runs that have settings.
    """

    name: str
    values: tuple[str | None, ...]
    aside: bool = False
    differs: bool = True


def compared(settings: Sequence[Mapping[str, str]]) -> list[ComparedSetting]:
    """All settings of runs: those that differ, the most important first, then the others.

    A run without settings differs in none. Numbers are equal however they are
    spelled (`1e-3`, `0.001`).

    Args:
        settings: Those of each run, in the order of `ComparedSetting.values`.
    """
    known = [one for one in settings if one]
    found = []
    for name in dict.fromkeys(name for one in known for name in one):
        values = tuple(one.get(name) for one in settings)
        differs = len({_normal(one.get(name)) for one in known}) > 1
        found.append(ComparedSetting(name, values, _is_aside(name), differs))
    return sorted(found, key=_rank)


def differing(settings: Sequence[Mapping[str, str]]) -> list[ComparedSetting]:
    """The settings in which runs differ, the most important first (see `compared`)."""
    return [one for one in compared(settings) if one.differs]


def is_equal(value: str | None, other: str | None) -> bool:
    """Whether two values mean the same."""
    return _normal(value) == _normal(other)


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


def _rank(setting: ComparedSetting) -> tuple[bool, bool, int, int, str]:
    leaf = _leaf(setting.name)
    known = _FIRST.index(leaf) if leaf in _FIRST else len(_FIRST)
    missing = sum(value is None for value in setting.values)
    return not setting.differs, setting.aside, known, missing, setting.name


_RATE = ("learning_rate", "lr", "lr0", "base_lr", "max_lr", "peak_lr")
_SCHEDULE = ("lr_scheduler_type", "lr_scheduler", "lr_schedule", "scheduler.name", "scheduler",
             "schedule", "decay_lr")  # fmt: skip
_BATCH = ("per_device_train_batch_size", "device_train_microbatch_size", "micro_batch_size",
          "train_micro_batch_size_per_gpu", "batch_size", "train_batch_size", "batch",
          "global_train_batch_size")  # fmt: skip
_ACCUMULATION = ("gradient_accumulation_steps", "accumulate_grad_batches", "grad_accum_steps",
                 "gradient_accumulation", "device_train_grad_accum", "grad_accum",
                 "accumulation_steps")  # fmt: skip
_DEVICES = ("world_size", "num_processes", "n_gpu", "num_devices", "num_gpus")
_LENGTH = ("num_train_epochs", "max_epochs", "epochs", "n_epochs", "num_epochs")
_STEPS = ("max_steps", "max_iters", "total_steps", "total_timesteps", "max_duration")
_PRECISION = ("precision", "mixed_precision", "torch_dtype", "dtype", "compute_dtype")
_FLAGS = ("bf16", "fp16", "tf32", "amp")
_SEED = ("seed", "random_seed", "random_state")

_OFF = frozenset({"", "none", "null", "false", "no", "0", "-1", "-1.0"})


def headline_settings(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    """Learning rate, schedule, batch (per device, times accumulation, times devices), length,
    precision and seed, as words and values; what is not known is left out."""
    known = _by_name(settings)
    rows = [
        ("learning rate", _first(known, _RATE)),
        ("schedule", _first(known, _SCHEDULE)),
        ("batch", _batch(known)),
        ("epochs", _first(known, _LENGTH)),
        ("max steps", _first(known, _STEPS)),
        ("precision", _precision(known)),
        ("seed", _first(known, _SEED)),
    ]
    found = [(word, value) for word, value in rows if value]
    words = {word for word, _ in found}
    # Where steps are planned, the epochs are only a default that they override.
    return [row for row in found if row[0] != "epochs" or "max steps" not in words]


def _by_name(settings: Mapping[str, str]) -> dict[str, str]:
    """Values by the last one and by the last two levels of their names, the outermost first."""
    known: dict[str, str] = {}
    for name in sorted(settings, key=lambda name: (name.count("."), name.count("/"))):
        levels = name.lower().replace("-", "_").replace("/", ".").split(".")
        for key in (levels[-1], ".".join(levels[-2:])):
            known.setdefault(key, settings[name].strip())
    return known


def _first(known: Mapping[str, str], names: Iterable[str]) -> str:
    for name in names:
        value = known.get(name, "")
        if value.lower() not in _OFF and (name in _SEED or value[:1] not in "{["):
            return value
    return known["seed"] if "seed" in names and "seed" in known else ""


def _batch(known: Mapping[str, str]) -> str:
    factors = [_first(known, names) for names in (_BATCH, _ACCUMULATION, _DEVICES)]
    if not factors[0]:
        return ""
    return " × ".join(one for at, one in enumerate(factors) if one and (at == 0 or one != "1"))


def _precision(known: Mapping[str, str]) -> str:
    named = _first(known, _PRECISION)
    if named:
        return named
    return next((flag for flag in _FLAGS if known.get(flag, "").lower() == "true"), "")
