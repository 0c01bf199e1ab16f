"""`lossmon check`: the verdict without a screen."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.commands.arguments.inputs import (
    NO_METRICS,
    copied_input,
    existing,
    no_metrics,
    settings_of,
)
from lossmon.commands.arguments.parsing import (
    add_no_color,
    add_paths,
    add_quiet,
    add_settings,
    duration,
    new_parser,
)
from lossmon.commands.arguments.sources import (
    add_jobs,
    checked,
    named_jobs,
    open_jobs,
    open_source,
    patient,
)
from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.locale import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossmon.reports.check import Style
    from lossmon.types import RunSnapshot

FORMATS = ("text", "json", "github", "openmetrics", "tmux")
"""Rows of `lossmon.reports.check`, named here because the parser imports no report."""

NOT_REACHED = 4
"""Exit status if `--until` was not reached."""

_DESCRIPTION = """\
Print the diagnosis of finished or running trainings without a screen.

Verdict, evidence and history are the same as on the screen."""

_EPILOG = """\
examples:
  lossmon check ./output
  lossmon check runs/* --json | jq -r '[.run, .verdict.code] | @tsv'
  lossmon check ./output --fail-on warning || echo "look at the run"
  lossmon check ./output --wait --timeout 12h && python evaluate.py
  lossmon check ./output --watch --json
  ssh trainbox cat train.log | lossmon check -
  tmux set -g status-right '#(lossmon check --format tmux ~/output)'

exit status:
  0  no finding at or above --fail-on
  1  a finding at or above --fail-on
  2  an argument or a setting is wrong
  3  no metrics were found
  4  --until was not reached before the timeout or the end of every run

formats:
  text         for people
  json         one JSON object per run, one per line
  github       annotations of a GitHub Actions job
  openmetrics  for the textfile collector of Prometheus' node_exporter
  tmux         one line for status-right: ✓ healthy 0.61 41% ETA 14m"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon check`."""
    parser = new_parser("lossmon check", _DESCRIPTION, _EPILOG)
    add_paths(parser, needed=False, piped=True)
    parser.add_argument(
        "--format", choices=FORMATS, default="text", help="output format (default: text)"
    )
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    parser.add_argument("--history", action="store_true", help="add all earlier verdicts")
    parser.add_argument("--plot", action="store_true", help="draw the losses below the text")
    parser.add_argument(
        "--points", action="store_true", help="add the points of every series to the JSON"
    )
    parser.add_argument(
        "--fail-on",
        choices=("notice", "warning", "critical"),
        default="critical",
        help="severity from which the exit status is 1 (default: critical)",
    )
    _add_waiting(parser)
    add_jobs(parser)
    add_quiet(parser, "print no verdict, only set the exit status")
    add_no_color(parser)
    add_settings(parser, ("lang", "sensitivity"))
    return parser


def _add_waiting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("waiting")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--wait", action="store_true", help="wait for --until, then print and exit")
    which.add_argument(
        "--watch", action="store_true", help="print a run whenever its verdict or state changes"
    )
    group.add_argument(
        "--until",
        metavar="WORD",
        help="finished, or the code of a verdict (default with --wait: finished)",
    )
    group.add_argument(
        "--timeout", type=duration, metavar="D", help="give up after this time: 90s, 30m, 12h, 2d"
    )


def run(options: argparse.Namespace) -> int:
    """Judge and print."""
    if not (options.wait or options.watch) and (options.until or options.timeout is not None):
        raise ConfigError("--until and --timeout need --wait or --watch")
    if not (options.paths or options.job or options.jobs):
        raise ConfigError("name a run directory or a log file, or a job by --job or --jobs")
    config = settings_of(options)
    with ExitStack() as stack:
        follow = options.wait or options.watch
        options.paths = stack.enter_context(copied_input(options.paths, follow=follow))
        if options.quiet:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nowhere))
        return _check(options, config)


def _check(options: argparse.Namespace, config: Config) -> int:
    if options.wait or options.watch:
        return _wait(options, config)
    if options.format == "tmux":
        return _status_line(options, config)
    gc.disable()
    from lossmon.reports.check import check

    # What was imported stays: looking for garbage in it at the end would take a sixth of the time.
    gc.freeze()
    gc.enable()
    style = _style(options, config)
    places = checked(options.paths, config)
    if jobs := named_jobs(options):
        places.append(open_jobs((), jobs, config, hardware=False, follow=False))
    runs = check(places, config, sys.stdout, options.format, style)
    return _status(options, config, runs)


def _status_line(options: argparse.Namespace, config: Config) -> int:
    from lossmon.reports.status_cache import status

    line, fails = status(existing(options.paths), config, options.fail_on)
    print(line)
    return NO_METRICS if fails is None else int(fails)


def _wait(options: argparse.Namespace, config: Config) -> int:
    from lossmon.reports.check import FORMATS, write
    from lossmon.reports.wait import VerdictWait

    format_ = FORMATS[options.format]
    style = _style(options, config)
    if options.watch and format_.whole:
        raise ConfigError(f"--watch prints one run at a time; --format {options.format} cannot")
    until = options.until or ("finished" if options.wait else None)
    if jobs := named_jobs(options):
        source = open_jobs(
            options.paths, jobs, config, hardware=False, follow=options.jobs, wait=True
        )
    else:
        source = open_source(options.paths, config, hardware=False, wait=True)
    # A mount that dies meanwhile must not outlast --timeout.
    source = patient(source, [one for one in options.paths if isinstance(one, Path)])
    waiting = VerdictWait(source, config, until, options.timeout)
    for count, changed in enumerate(waiting.changes()):
        if options.watch:
            print(end="\n" if count and format_.gap else "")
            write([changed], format_, style, sys.stdout)
    if options.wait:
        write(waiting.runs, format_, style, sys.stdout)
    if until and not waiting.reached:
        print(f"lossmon: {message(f'not reached: --until {until}')}", file=sys.stderr)
        return NOT_REACHED
    return _status(options, config, waiting.runs)


def _style(options: argparse.Namespace, config: Config) -> Style:
    """How runs are printed.

    Raises:
        ConfigError: The format cannot take an option.
    """
    from lossmon.reports.check import Style

    if options.plot and options.format != "text":
        raise ConfigError(f"--plot needs --format text, not {options.format}")
    if options.points and options.format != "json":
        raise ConfigError(f"--points needs --format json, not {options.format}")
    plot = None
    if options.plot:
        from lossmon.commands.plot import plot_style

        plot = plot_style(config, sys.stdout)
    encoding = sys.stdout.encoding or "utf-8"
    return Style(config.lang, options.history, encoding, plot, options.points)


def _status(options: argparse.Namespace, config: Config, runs: Sequence[RunSnapshot]) -> int:
    from lossmon.reports.check import fails

    if runs:
        return int(fails(runs, options.fail_on))
    jobs = [*(f"job {one}" for one in options.job), *(["your jobs"] if options.jobs else [])]
    return no_metrics([*options.paths, *jobs], config.lang)
