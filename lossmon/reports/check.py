"""`lossmon check`: the verdict of the screen, without a screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from lossmon.config import Config
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.reports.plain import plain
from lossmon.reports.record import record
from lossmon.types import RunSnapshot, Severity


def check(
    paths: Sequence[Path], config: Config, out: TextIO, as_json: bool, history: bool
) -> list[RunSnapshot]:
    """Judge every run under the paths and print it.

    Args:
        paths: What to judge; each is one run unless it holds several.
        config: Settings.
        out: Where to print.
        as_json: One JSON object a run and line, else text.
        history: Add the history to the text (JSON always has it).

    Returns:
        The runs that hold metrics, in the order printed.
    """
    judged: list[RunSnapshot] = []
    settings = MonitorConfig(config.metrics, config.patterns, config.sensitivity)
    for path in paths:
        monitor = Monitor([path], settings)
        for run in monitor.drain().runs:
            if not run.series:
                continue
            if as_json:
                text = json.dumps(record(run, config.lang), ensure_ascii=False, allow_nan=False)
            else:
                text = ("\n" if judged else "") + plain(run, config.lang, history=history)
            print(text, file=out, flush=True)
            judged.append(run)
    return judged


def fails(runs: Sequence[RunSnapshot], threshold: str) -> bool:
    """Whether any finding of any run is at or above a severity, given by its word."""
    limit = Severity[threshold.upper()]
    return any(
        finding.severity >= limit
        for run in runs
        for finding in (run.diagnosis.verdict, *run.diagnosis.findings)
    )
