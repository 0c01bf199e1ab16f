"""`lossmon hardware`: the hardware of this machine and of the nodes of runs, without a screen."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time

from lossmon.commands.inputs import existing, settings_of
from lossmon.commands.parsing import add_paths, add_settings, duration, new_parser

_DESCRIPTION = """\
Print the GPUs, the processors, the memory and the disk of this machine, those of the nodes where
lossmon record runs, and what is found about them. Findings need minutes of samples: use --watch."""

_EPILOG = """\
examples:
  lossmon hardware                             this machine, once
  lossmon hardware ./output                    with the nodes and the findings of a run
  lossmon hardware ./output --json --watch     an object per line every five seconds

exit status:
  0  after printing, and after SIGTERM or Ctrl+C
  2  an argument is wrong"""

FIRST_READING = 15.0
"""Seconds to wait for a first reading: drivers of eight GPUs take several to load."""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon hardware`."""
    parser = new_parser("lossmon hardware", _DESCRIPTION, _EPILOG)
    add_paths(parser, "run directories or log files", needed=False)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--watch", action="store_true", help="print again and again")
    parser.add_argument(
        "--interval",
        type=duration,
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
    from lossmon.reports.hardware import hardware_lines, hardware_record

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    source = LocalSource(paths, MonitorConfig.of(config))
    source.begin()
    try:
        due = time.monotonic() + FIRST_READING
        while not ended.is_set():
            snapshot = source.poll(0.25)
            host = snapshot.hardware.host
            is_whole = host is not None and host.cpu is not None and not snapshot.busy
            if not is_whole and time.monotonic() < due:
                source.changed.wait(0.1)
                source.changed.clear()
                continue
            if options.json:
                print(json.dumps(hardware_record(snapshot, config.lang), allow_nan=False))
            else:
                print("\n".join(hardware_lines(snapshot, config.lang)))
            sys.stdout.flush()
            if not options.watch:
                break
            ended.wait(max(0.1, options.interval))
    finally:
        source.stop()
    return 0
