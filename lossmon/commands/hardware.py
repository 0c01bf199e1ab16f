"""`lossmon hardware`: the hardware of this machine and of the nodes of runs, without a screen."""

from __future__ import annotations

import argparse
import json
import threading
import time
from typing import TYPE_CHECKING

from lossmon.commands.arguments.inputs import existing, settings_of
from lossmon.commands.arguments.parsing import add_paths, add_settings, interval, new_parser
from lossmon.commands.arguments.sources import patient
from lossmon.ending import stopped_by_signals

if TYPE_CHECKING:
    from lossmon.types import Snapshot

_DESCRIPTION = """\
Print the GPUs, the processors, the memory and the disk of this machine, those of the nodes where
lossmon record runs, and findings about them. These need minutes of samples: use --watch."""

_EPILOG = """\
examples:
  lossmon hardware                             this machine, once
  lossmon hardware ./output                    with the nodes and the findings of a run
  lossmon hardware ./output --json --watch     one object per line, every five seconds

exit status:
  0  the readings were printed, or a signal ended --watch
  2  an argument is wrong"""

FIRST_READING = 15.0
"""Seconds to wait for a first reading: drivers of eight GPUs take several to load."""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon hardware`."""
    parser = new_parser("lossmon hardware", _DESCRIPTION, _EPILOG)
    add_paths(parser, needed=False)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--watch", action="store_true", help="print again and again")
    parser.add_argument(
        "--interval",
        type=interval,
        default=5.0,
        metavar="TIME",
        help="time between two prints of --watch, such as 30s (default: 5s)",
    )
    add_settings(parser, ("lang",))
    return parser


def run(options: argparse.Namespace) -> int:
    """Print once, or until a signal comes."""
    config = settings_of(options)
    paths = existing(options.paths)
    from lossmon.monitor import LocalSource, MonitorConfig

    ended = threading.Event()
    source = patient(LocalSource(paths, MonitorConfig.of(config)), paths)
    source.begin()
    due = time.monotonic() + FIRST_READING
    try:
        with stopped_by_signals(ended.set):
            while not ended.is_set():
                snapshot = source.poll(0.25)
                if not _is_whole(snapshot) and time.monotonic() < due:
                    source.changed.wait(0.1)
                    source.changed.clear()
                    continue
                _print(snapshot, config.lang, as_json=options.json)
                if not options.watch:
                    break
                ended.wait(options.interval)
    finally:
        source.stop()
    return 0


def _is_whole(snapshot: Snapshot) -> bool:
    """Whether all is read, and the processors were sampled twice."""
    host = snapshot.hardware.host
    return host is not None and host.cpu is not None and not snapshot.busy


def _print(snapshot: Snapshot, language: str, *, as_json: bool) -> None:
    from lossmon.reports.hardware import hardware_lines, hardware_record

    if as_json:
        print(json.dumps(hardware_record(snapshot, language), allow_nan=False), flush=True)
    else:
        print("\n".join(hardware_lines(snapshot, language)), flush=True)
