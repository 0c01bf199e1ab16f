"""Headline settings: the hyperparameters that matter most, under any framework's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_RATE = ("learning_rate", "lr", "lr0", "base_lr", "max_lr", "peak_lr")
_SCHEDULE = ("lr_scheduler_type", "lr_scheduler", "lr_schedule", "scheduler.name", "scheduler",
             "schedule", "decay_lr")  # fmt: skip
_BATCH = ("per_device_train_batch_size", "device_train_microbatch_size", "micro_batch_size",
          "train_micro_batch_size_per_gpu", "batch_size", "train_batch_size", "batch",
          "global_train_batch_size")  # fmt: skip
_ACCUMULATION = ("gradient_accumulation_steps", "accumulate_grad_batches", "grad_accum_steps",
                 "gradient_accumulation")  # fmt: skip
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
