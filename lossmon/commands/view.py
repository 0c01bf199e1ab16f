"""`lossmon PATH...`: the screen."""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.commands import COMMANDS
from lossmon.commands.arguments.inputs import copied_input, has_terminal, need_terminal, settings_of
from lossmon.commands.arguments.parsing import (
    Location,
    add_no_color,
    add_paths,
    add_screen_settings,
    new_parser,
    screen_size,
    settings_file,
)
from lossmon.commands.arguments.sources import (
    add_jobs,
    directories,
    has_jobs,
    named_jobs,
    open_jobs,
    open_source,
    patient,
)
from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.filesystems import unanswering
from lossmon.version import __version__

if TYPE_CHECKING:
    from lossmon.alerts.source import AlertingSource
    from lossmon.monitor import RunSource

USUAL_SIZE = (100, 30)
"""Columns and rows of a picture that goes to no terminal."""

LOOK = 1.0
"""Seconds for which the screen waits for a network file system before it opens without it."""

_DESCRIPTION = """\
Watch training runs live: loss curves, hardware, and a diagnosis that says what the curves mean.

PATH is an output directory, a log file, or a directory of several runs (default: the current
directory). The training code needs no change, and the directory may still be empty."""

_EPILOG = """\
examples:
  lossmon ./output
  lossmon runs/a runs/b train.log
  python train.py 2>&1 | tee train.log      and in another terminal:  lossmon train.log
  python train.py 2>&1 | tee train.log | lossmon -
  lossmon ./output --once | mail -s "the run" me@example.org

commands:
{commands}

To watch a directory with the name of a command, write ./check.

exit status:
  0  a normal end
  2  an argument or a setting is wrong

Flags override LOSSMON_* variables, which override {file}."""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon PATH...`."""
    rows = [("lossmon PATH...", "watch runs (q quits, ? lists the keys)")]
    rows += [(f"lossmon {c.name} {c.arguments}".rstrip(), c.summary) for c in COMMANDS]
    width = max(len(usage) for usage, _ in rows)
    commands = "\n".join(f"  {usage:<{width}}  {summary}" for usage, summary in rows)
    parser = new_parser(
        "lossmon", _DESCRIPTION, _EPILOG.format(commands=commands, file=settings_file())
    )
    parser.add_argument("-V", "--version", action="version", version=f"lossmon {__version__}")
    add_paths(parser, needed=False, piped=True)
    parser.add_argument(
        "--once", action="store_true", help="print the screen as text once, and exit"
    )
    parser.add_argument(
        "--size",
        type=screen_size,
        metavar="WxH",
        help="columns and rows for --once (default: the terminal's, or 100x30)",
    )
    parser.add_argument(
        "--alerts", action="store_true", help="also send alerts to the channels of [alerts]"
    )
    add_jobs(parser)
    add_no_color(parser)
    add_screen_settings(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Watch until the user quits."""
    # What is imported and made from here to the first frame stays: looking for garbage in it
    # would take a tenth of the time.
    gc.disable()
    # CPython frees each 16 KiB of its stack of frames as soon as they are left. Imported from deep
    # within a chain of imports, numpy leaves the same ones hundreds of times.
    import numpy  # noqa: F401

    config = settings_of(options)
    with copied_input(options.paths, follow=not options.once) as paths:
        options.paths = paths
        return _watch(options, config)


def _watch(options: argparse.Namespace, config: Config) -> int:
    jobs = named_jobs(options)
    locations = options.paths or ([] if jobs or options.jobs else [Path()])
    paths = [one for one in locations if isinstance(one, Path)]
    looks = [] if options.once else unanswering(paths, LOOK)
    late = None if options.once else [look.path for look in looks]
    wait, hardware = not options.once and has_terminal(), config.hardware
    if jobs or options.jobs or has_jobs():
        follow = options.jobs
        source = open_jobs(
            locations, jobs, config, hardware=hardware, follow=follow, wait=wait, late=late
        )
    else:
        source = open_source(locations, config, hardware=hardware, wait=wait, late=late)
    where = " ".join(map(str, locations))
    if options.size and not options.once:
        raise ConfigError("--size needs --once; the screen is as large as its terminal")
    if not options.once:
        need_terminal(f"`lossmon {where} --once` prints it, `lossmon check {where}` the verdict")
    source = patient(source, [*paths, *directories(jobs)], looks)
    if options.once:
        from lossmon.ui.once import once

        here = shutil.get_terminal_size() if sys.stdout.isatty() else USUAL_SIZE
        return once(source, config, options.size or (here[0], here[1]), sys.stdout)
    from lossmon.ui.launch import view

    if not (options.alerts or config.alerts.get("screen")):
        return view(source, config)
    alerting = _with_alerts(source, locations, config)
    return view(alerting, config, alerting.use_terminal)


def _with_alerts(
    source: RunSource, locations: Sequence[Location], config: Config
) -> AlertingSource:
    from lossmon.alerts.settings import load
    from lossmon.alerts.source import AlertingSource

    settings = load(config.alerts, f"{config.file}: [alerts]")
    if not settings.channels:
        raise ConfigError("--alerts needs a channel in [alerts] of the settings")
    places = [one.absolute() if isinstance(one, Path) else one for one in locations]
    return AlertingSource(source, places, settings, config.lang)
