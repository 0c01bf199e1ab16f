"""`lossmon check`: the verdict of the screen, without a screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from lossmon.config import Config
from lossmon.errors import internal_error
from lossmon.monitor import Monitor, MonitorConfig
from lossmon.reports.plain import plain, printable
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
        snapshot = monitor.drain()
        telling = [run for run in snapshot.runs if run.series]
        unread = [error for run in snapshot.runs if not run.series for error in run.errors]
        for note in dict.fromkeys((*(() if telling else snapshot.notes), *unread)):
            print(f"lossmon: {printable(note)}", file=sys.stderr)
        for run in telling:
            try:
                text = _text(run, config, out.encoding, as_json, history)
            except Exception as error:
                why = f"{run.path}: {internal_error(error)}; the run is left out"
                print(f"lossmon: {printable(why)}", file=sys.stderr)
                continue
            print("\n" + text if judged and not as_json else text, file=out, flush=True)
            judged.append(run)
    return judged


def _text(
    run: RunSnapshot, config: Config, encoding: str | None, as_json: bool, history: bool
) -> str:
    if as_json:
        return _json(record(run, config.lang), encoding)
    return plain(run, config.lang, history=history)


def _json(record: dict[str, Any], encoding: str | None) -> str:
    """One line of JSON in readable letters, or escaped where the output cannot take them."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        # Another character set, or a file name that is no UTF-8.
        return json.dumps(record, allow_nan=False)
    return text


def fails(runs: Sequence[RunSnapshot], threshold: str) -> bool:
    """Whether any finding of any run is at or above a severity, given by its word."""
    limit = Severity[threshold.upper()]
    return any(
        finding.severity >= limit
        for run in runs
        for finding in (run.diagnosis.verdict, *run.diagnosis.findings)
    )
