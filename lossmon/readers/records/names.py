"""Names in structured logs: those that count steps or epochs, and those of metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.files.head import as_utf8
from lossmon.readers.values import number
from lossmon.sanitize import one_line

STEP_NAMES = (
    "step",
    "global_step",
    "current_steps",
    "iteration",
    "iter",
    "num_updates",
    "trainer/global_step",
    "train/global_step",
    "_step",
    "total_timesteps",
    "time/total_timesteps",
    "training_iteration",
    "steps",
    "global_steps",
    "global_iter",
    "global_iteration",
    "iterations",
    "iters",
    "it",
    "update",
    "updates",
    "num_steps",
    "optimizer_step",
    "optim_step",
    "opt_step",
    "train_step",
    "train_steps",
    "train/step",
    "train/steps",
    "training_step",
    "n_iter",
    "num_iter",
    "time/step",
)
"""Spellings of the optimizer step, the surest first, as `plain` gives them."""

EPOCH_NAMES = ("epoch", "train/epoch", "trainer/epoch", "epochs", "current_epoch", "ep")
"""Spellings of the epoch, the surest first."""

LONGEST_NAME = 200
"""Characters of a name that are kept: longer ones are not names."""

_BLANKS = re.compile(r"[\s\-]+")


@lru_cache(4096)
def plain(name: str) -> str:
    """Return a name in lower case, its words joined by `_`, for look-up in a table."""
    return _BLANKS.sub("_", name.strip().lower())


@lru_cache(4096)
def clean_name(name: str) -> str:
    """Return a name fit for a tag: no control characters, no outer blanks, bounded length."""
    return one_line(name, LONGEST_NAME).strip()


def name_below(path: Path, folder: str) -> str:
    """Return the names of the directories below one and of the file, joined by `/`.

    Empty if the file does not lie below a directory of that name.
    """
    parts = path.parts
    if folder not in parts[:-1]:
        return ""
    start = len(parts) - parts[::-1].index(folder)
    return clean_name("/".join(parts[start:]))


_METRICS = """
    loss losses acc accuracy ppl perplexity lr learning_rate grad_norm gnorm reward rewards return
    auc f1 map iou bleu rouge mae mse rmse wer cer error err nll elbo kl psnr ssim fid r2 logloss
    mlogloss cost objective throughput precision recall top1 top5 score bpb entropy
"""
_METRIC_WORDS = frozenset(_METRICS.split())
"""Words in names of measured quantities: such a name holds at least one."""

_LOSSES = "loss losses nll elbo ppl perplexity logloss mlogloss bpb cost"
_LOSS_WORDS = frozenset(_LOSSES.split())
"""Words that no file but a log uses for a number."""

_PLACES = frozenset((*STEP_NAMES, *EPOCH_NAMES, "batch", "round", "episode", "trial"))
_SPLIT = lazy_pattern(r"[^a-z0-9]+")
_HUMPS = lazy_pattern(r"(?<=[a-z0-9])(?=[A-Z])")
_FIELD = re.compile(
    r'"((?:[^"\\]|\\.){1,200})"\s*:\s*(?:(-?(?:\d|Infinity)|NaN|null|"-?\d)|(\[\s*(?:-?\d|NaN|-?Inf))|("))'
)

ADVANCING = 3
"""Records that must stand at rising steps: two could by chance."""

_PROSE = 200
"""Characters of a text from which on a record is a piece of a data set, not of a log."""


def words(name: str) -> frozenset[str]:
    """Return the words of a name, in lower case: `trainLoss`, `train/loss` and `Train Loss`."""
    return frozenset(_SPLIT.split(_HUMPS.sub("_", name).lower()))


def names_place(name: str) -> bool:
    """Whether a name says where in the run a record stands."""
    short = plain(name)
    return short in _PLACES or short.rsplit("/", 1)[-1] in _PLACES


def names_metric(name: str) -> bool:
    """Whether a name is that of a quantity that training measures."""
    return bool(words(name) & _METRIC_WORDS) or plain(name) in _METRIC_WORDS


def names_loss(name: str) -> bool:
    """Whether a name is that of a loss."""
    return bool(words(name) & _LOSS_WORDS)


def are_metrics(names: Iterable[str]) -> bool:
    """Whether columns of numbers with these names make a log: a loss, or a metric and a place.

    Columns `train` and `val` are losses where a place stands beside them.
    """
    names = list(names)
    if any(names_loss(name) for name in names):
        return True
    if not any(map(names_place, names)):
        return False
    splits = SPLITS.intersection(map(plain, names))
    return any(map(names_metric, names)) or (
        "train" in splits and len(splits) > 1 and len(splits) + 1 == len(names)
    )


def text_of(head: bytes) -> str:
    """Decode the first bytes of a file, whatever its encoding."""
    return as_utf8(head).decode("utf-8-sig", errors="replace")


def first_records(head: bytes, *, alone: bool = False) -> list[dict[str, object]]:
    """Return the JSON objects of the whole lines at the beginning of a file.

    Args:
        head: Its first bytes.
        alone: Give nothing if there is a line of another sort, as in a log that is mostly text.
    """
    text = text_of(head)
    lines = text.splitlines()
    if len(lines) > 1 and not text.endswith(("\n", "\r")):
        lines.pop()
    records: list[dict[str, object]] = []
    for line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return [] if alone else records
        if not isinstance(record, dict):
            return []
        records.append(record)
    return records


def number_names(record: dict[str, object], prefix: str = "", depth: int = 3) -> list[str]:
    """Return the names of the numbers in a record, nested ones joined with `/`."""
    names = []
    for key, value in record.items():
        if isinstance(value, dict):
            if depth:
                names += number_names(value, f"{prefix}{key}/", depth - 1)
        elif number(value) is not None:
            names.append(f"{prefix}{key}")
    return names


def has_prose(record: dict[str, object]) -> bool:
    """Whether a record holds a long text, or a conversation, as data sets do."""
    return any(
        (isinstance(value, str) and len(value) > _PROSE)
        or (isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value))
        for value in record.values()
    )


def fields(text: str) -> Iterator[tuple[str, bool, bool]]:
    """The names in a piece of JSON whose value is a number or a list of numbers.

    Each comes as `(name, is a number, is a list)`.
    """
    for match in _FIELD.finditer(text):
        if match[4] is None:
            yield match[1], match[2] is not None, match[3] is not None


TAG_NAMES = ("tag", "metric", "metric_name", "key", "name")
"""Columns that can name the value of a record, the surest first."""

SPLIT_NAMES = ("split", "phase", "mode", "stage", "set", "subset", "dataset", "partition", "type")
"""Columns that can say on what data a record was measured."""

SPLITS = frozenset(
    {"train", "training", "eval", "evaluation", "val", "valid", "validation", "test", "dev"}
)
"""What they say then."""


@dataclass(frozen=True, slots=True)
class LongColumns:
    """The columns of a table with one named value per row.

    Attributes:
        tag: The name of the value.
        value: The value.
        split: The data it was measured on, or a second name; empty if there is none.
    """

    tag: str
    value: str
    split: str = ""


def long_columns(names: list[str]) -> LongColumns | None:
    """Return the columns that hold a name and a value, None if the table is not of this form."""
    short = {plain(name): name for name in names}
    tag = next((short[name] for name in TAG_NAMES if name in short), "")
    if not tag or "value" not in short or not any(map(names_place, names)):
        return None
    split = next((short[name] for name in SPLIT_NAMES if name in short), "")
    return LongColumns(tag, short["value"], split)
