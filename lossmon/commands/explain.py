"""`lossmon explain`: the format of each file and what is read from it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lossmon.commands.arguments.inputs import NO_METRICS, copied_input, existing, settings_of
from lossmon.commands.arguments.parsing import (
    add_paths,
    add_settings,
    new_parser,
    positive_number,
    settings_file,
)

_DESCRIPTION = """\
Show the format of each file and why it was chosen, its series, and for text logs the metrics that
are read from each kind of line, what is ignored, and the reason."""

_EPILOG = """\
examples:
  lossmon explain ./output
  lossmon explain train.log --line 120

exit status:
  0  at least one file is read
  2  an argument or a setting is wrong
  3  no file is read

A log in an unknown format can be read with a regular expression in [patterns] of {file}."""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon explain`."""
    parser = new_parser("lossmon explain", _DESCRIPTION, _EPILOG.format(file=settings_file()))
    add_paths(parser, piped=True)
    parser.add_argument(
        "--line", type=positive_number, metavar="N", help="explain one line of a log in detail"
    )
    add_settings(parser, ("lang",))
    return parser


def run(options: argparse.Namespace) -> int:
    """Explain and print."""
    from lossmon.reports.explain import explain

    config = settings_of(options)
    with copied_input(options.paths) as locations:
        given = zip(locations, options.paths, strict=True)
        typed = {one: str(name) for one, name in given if isinstance(one, Path)}
        read = explain(existing(locations), config, sys.stdout, options.line, typed)
    return 0 if read else NO_METRICS
