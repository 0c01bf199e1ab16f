"""`lossmon record`: the hardware of this node, written into a run."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.commands.arguments.inputs import settings_of
from lossmon.commands.arguments.parsing import add_settings, directory, interval, new_parser
from lossmon.ending import stopped_by_signals
from lossmon.locale import message

if TYPE_CHECKING:
    from lossmon.types import NodeVerdict

_DESCRIPTION = """\
Record the GPUs, the processors, the memory, the disk and the processes of this node into a run,
so that its screen shows them on another machine, a login node for example.

The samples go to RUN/.lossmon/hardware-HOST.jsonl, which stays below 8 MiB. Recording begins once
the training has written something into RUN, and ends with the job, SIGTERM or Ctrl+C."""

_EPILOG = """\
examples:
  srun --overlap --ntasks-per-node=1 lossmon record ./output &      on every node of the job
  lossmon record ./output &                                         on one node

Put this line into the job script, before the training.

exit status:
  0  a normal end, or this node is already recorded
  2  an argument is wrong"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon record`."""
    parser = new_parser("lossmon record", _DESCRIPTION, _EPILOG)
    parser.add_argument("run", type=_run_directory, metavar="RUN", help="directory of the run")
    parser.add_argument(
        "--log",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="log on a disk of this node to judge here; its verdict is recorded",
    )
    parser.add_argument(
        "--interval",
        type=interval,
        default=10.0,
        metavar="TIME",
        help="time between two samples, such as 30s (default: 10s)",
    )
    parser.add_argument("--name", default=platform.node(), help="name of this node")
    add_settings(parser, ("sensitivity",))
    return parser


def _run_directory(text: str) -> Path:
    if text == "-":
        raise argparse.ArgumentTypeError("-: a directory is needed; one of this name is ./-")
    return directory(text)


def run(options: argparse.Namespace) -> int:
    """Record until a signal comes."""
    from lossmon.cluster.environment import job_of
    from lossmon.hardware.sampler import HardwareSampler
    from lossmon.nodes.recorder import AlreadyRecorded, Recorder, RecorderLock

    judge = _judge(options)
    try:
        lock = RecorderLock(options.run)
    except AlreadyRecorded as error:
        _report(str(error))
        return 0
    ended = threading.Event()
    sampler = HardwareSampler([options.run], interval=max(1.0, options.interval / 4))
    recorder = Recorder(
        options.run,
        lambda: sampler.latest,
        host=options.name,
        job=job_of(os.environ),
        interval=options.interval,
        judge=judge,
        report=_report,
    )
    try:
        with stopped_by_signals(ended.set):
            if recorder.wait_for_run(ended):
                sampler.start()
                recorder.record(ended)
    finally:
        sampler.stop()
        lock.release()
    return 0


def _judge(options: argparse.Namespace) -> Callable[[], tuple[NodeVerdict, ...]]:
    """What judges the logs that are given, if any."""
    if not options.log:
        return tuple
    from lossmon.monitor import Monitor, MonitorConfig
    from lossmon.types import NodeVerdict

    monitor = Monitor(options.log, MonitorConfig.of(settings_of(options)))

    def judge() -> tuple[NodeVerdict, ...]:
        found = ((run, run.diagnosis.verdict) for run in monitor.drain().runs)
        return tuple(NodeVerdict(r.name, r.step, v.code, v.severity.word) for r, v in found)

    return judge


def _report(line: str) -> None:
    print(f"lossmon: {message(line)}", file=sys.stderr, flush=True)
