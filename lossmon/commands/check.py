"""`lossmon check`: the verdict without a screen."""

from __future__ import annotations

import argparse
import gc
import sys

from lossmon.commands.inputs import existing, no_metrics, settings_of
from lossmon.commands.parsing import add_paths, add_settings, new_parser

_DESCRIPTION = """\
Print the diagnosis of finished or running trainings, without a terminal.

The verdict, its evidence and its history are those that the screen would have shown live."""

_EPILOG = """\
exit status:
  0  nothing at or above --fail-on
  1  something is
  2  an argument or a setting is wrong
  3  no metrics were found

examples:
  lossmon check ./output
  lossmon check runs/* --json | jq -r '[.run, .verdict.code] | @tsv'
  lossmon check ./output --fail-on warning || echo "look at the run\""""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon check`."""
    parser = new_parser("lossmon check", _DESCRIPTION, _EPILOG)
    add_paths(parser, "what to judge")
    parser.add_argument("--json", action="store_true", help="one JSON object a run and line")
    parser.add_argument("--history", action="store_true", help="add how the verdict changed")
    parser.add_argument(
        "--fail-on",
        choices=("notice", "warning", "critical"),
        default="critical",
        help="severity from which the exit status is 1 (default: critical)",
    )
    add_settings(parser, ("lang", "sensitivity"))
    return parser


def run(options: argparse.Namespace) -> int:
    """Judge and print."""
    gc.disable()
    from lossmon.reports.check import check, fails

    gc.enable()
    config = settings_of(options)
    runs = check(existing(options.paths), config, sys.stdout, options.json, options.history)
    return int(fails(runs, options.fail_on)) if runs else no_metrics(options.paths)
