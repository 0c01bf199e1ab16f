"""Patterns of file names."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from lossmon.readers.format import NamePatterns
from lossmon.readers.registry import NO_METRICS, formats

NAMES = (
    *("metrics.jsonl", "a.log", "train_loss.csv", "results.csv", "events.out.tfevents.1.host"),
    *("config.json", "my_config_2.json", "20260101_120000.json", "x.trace.json.gz", "telemetry"),
    *(
        "requirements.txt",
        "log",
        "logs",
        ".log",
        "",
        "*.log",
        "run-1.wandb",
        "12.log",
        "journal.db",
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_matches_as_the_shell_matches_it(name: str) -> None:
    for pattern in {*NO_METRICS, *(each for one in formats() for each in one.names), "**a", "[x"}:
        assert NamePatterns((pattern,)).match(name) == fnmatchcase(name, pattern), pattern
