"""Which formats there are, and which of them a file is."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from fnmatch import translate
from functools import cache
from importlib import import_module
from pathlib import Path

from lossmon.readers.files.encoding import as_utf8, encoding_of
from lossmon.readers.format import HEAD, Format
from lossmon.readers.run_directories import is_metric

FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tensorboard.reader", ("*tfevents*",)),
    ("wandb.reader", ("*.wandb",)),
    ("swanlab.reader", ("*.swanlab",)),
    ("swanlab.local", ("[0-9]*.log",)),
    (
        "documents.hf_trainer",
        ("trainer_state.json", "all_results.json", "train_results.json", "eval_results.json"),
    ),
    ("jsonl.llamafactory", ("trainer_log.jsonl",)),
    ("jsonl.mmengine", ("scalars.json", "*.log.json", "[0-9]*_[0-9]*.json")),
    ("documents.allennlp", ("metrics_epoch_*.json",)),
    ("tables.catboost", ("catboost_training.json", "learn_error.tsv", "test_error.tsv")),
    ("tables.metric_files", ("meta.yaml", "*.tsv", "train_*.csv")),
    ("settings.files", ("config.yaml", "params.yaml", "task.json")),
    ("jsonl.frameworks", ("metrics.json", "progress.json", "result.json", "*.jsonl")),
    ("tables.frameworks", ("*.csv", "*.log", "*.txt")),
    ("tables.long_form", ("metrics.jsonl", "*.csv", "*.tsv")),
    ("samples.reader", ("*.jsonl",)),
    ("databases.optuna_journal", ("*.log", "*.jsonl", "*journal*")),
    ("databases.traceml", ("telemetry", "manifest.json")),
    ("databases.reader", ("*.db", "*.sqlite", "*.sqlite3")),
    ("tables.reader", ("*.csv", "*.tsv", "*.txt", "*.log", "*.dat", "*.out")),
    ("jsonl.reader", ("*.jsonl", "*.ndjson", "*.jsonlines", "*.json", "*.log", "*.txt")),
    ("documents.reader", ("*.json", "log")),
    (
        "text.reader",
        (
            *("*.log", "*.out", "*.err", "*.txt", "nohup.out*", "slurm-*", "stdout*", "stderr*"),
            *("console*", "*.stdout", "*.stderr", "*.output", "*.log.[0-9]*", "*.[oe][0-9]*"),
            "*.md",
        ),
    ),
)
"""Reader modules in the order in which they may claim a file, the specific before the general,
each with the names that its formats can have. A module is imported when such a name turns up, so
that a run that needs one reader does not wait for all of them."""


@cache
def _module_formats(name: str) -> tuple[Format, ...]:
    formats: tuple[Format, ...] = import_module(f"lossmon.readers.{name}").FORMATS
    return formats


@cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))


_ANY_NAME = _pattern(tuple(pattern for _, patterns in FAMILIES for pattern in patterns))


def formats() -> tuple[Format, ...]:
    """Every format, in the order in which they may claim a file."""
    return tuple(one for name, _ in FAMILIES for one in _module_formats(name))


def __getattr__(name: str) -> tuple[Format, ...]:
    if name == "FORMATS":
        return formats()
    raise AttributeError(name)


def recognised() -> tuple[str, ...]:
    """What can be read, in words, for the message that nothing was found."""
    return tuple(dict.fromkeys(one.title for one in formats()))


def possible(name: str) -> bool:
    """Whether a file of this name can be of any format; costs no look at the file."""
    return _ANY_NAME.match(name.lower()) is not None


def claim(path: Path) -> Format | None:
    """The format of a file, None where no reader knows it.

    Looks at the first `HEAD` bytes of a regular file and at nothing else.
    """
    head = read_head(path)
    return None if head is None else claim_head(path, head)


def claim_head(path: Path, head: bytes) -> Format | None:
    """The format of a file whose first bytes are known."""
    name = path.name.lower()
    nameless = is_metric(str(path))
    for module, patterns in FAMILIES:
        if _pattern(patterns).match(name) is None and not (
            nameless and module == "tables.metric_files"
        ):
            continue
        for one in _module_formats(module):
            if one.fits(path) and one.claims(path, head):
                return one
    return None


CHUNK = 1 << 16
"""Bytes read at once on the way to the contents."""

MOST_SKIPPED = 16 << 20
"""Bytes that may stand before the contents: a first line of 10 MB is stepped over in 5 ms."""

STAND_INS = (".jsonl", ".log")
"""Names under which a file of an unknown name is tried, the most telling first."""


def claim_named(path: Path, head: bytes) -> Format | None:
    """The format of a file that the user named, whatever its own name is.

    A name that no format has says nothing about the contents, so the contents decide.
    """
    taken = claim_head(path, head)
    if taken is not None or possible(path.name) or b"\0" in head:
        return taken
    stand_ins = (path.with_name(path.name + suffix) for suffix in STAND_INS)
    return next((found for one in stand_ins if (found := claim_head(one, head))), None)


def read_head(path: Path) -> bytes | None:
    """The first `HEAD` bytes of a regular file; None where it is none or cannot be read.

    Those of UTF-16 come as UTF-8, so that nobody who claims files need know of it.
    UTF-16 is given as UTF-8, so that nobody else need know of it.

    A FIFO or a device is not touched: opening it could block or change it. NULs before the
    contents, as a log has that was cut while its writer kept its place, do not count.
    """
    return _read(path, _beginning)


def head_after_first_line(path: Path) -> bytes | None:
    """The `HEAD` bytes behind a first line that is longer than that; None while it has no end.

    A log may begin with all of its settings in one line.
    """
    return _read(path, _behind_line)


def _beginning(descriptor: int) -> bytes:
    head = os.read(descriptor, HEAD)
    at = len(head)
    while head and not head.strip(b"\0") and at < MOST_SKIPPED:
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            break
        at += len(chunk)
        rest = chunk.lstrip(b"\0")
        if rest:
            head = (rest + os.read(descriptor, HEAD))[:HEAD]
    if encoding_of(head).wide:
        return as_utf8(head + os.read(descriptor, HEAD))[:HEAD]
    return head


def _behind_line(descriptor: int) -> bytes | None:
    skipped = 0
    while skipped < MOST_SKIPPED:
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            return None
        skipped += len(chunk)
        if (end := chunk.find(b"\n")) >= 0:
            head = (chunk[end + 1 :] + os.read(descriptor, HEAD))[:HEAD]
            # Behind the end of a line of UTF-16 stands the other half of it.
            return as_utf8(head.lstrip(b"\0")) or None
    return None


def _read(path: Path, read: Callable[[int], bytes | None]) -> bytes | None:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return read(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
