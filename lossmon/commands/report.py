"""`lossmon report`: one page of HTML per run."""

from __future__ import annotations

import argparse
from pathlib import Path

from lossmon.commands.arguments.inputs import copied_input, existing, no_metrics, settings_of
from lossmon.commands.arguments.parsing import (
    add_out,
    add_paths,
    add_quiet,
    add_settings,
    new_parser,
)

_DESCRIPTION = """\
Write one page of HTML per run: verdict, curves, metrics and settings.

The page has no script and loads nothing, so it can be mailed or kept with the weights."""

_EPILOG = """\
examples:
  lossmon report ./output
  lossmon report runs --out pages --csv

exit status:
  0  the pages were written; their paths are printed
  2  an argument or a setting is wrong, or a file cannot be written
  3  no metrics were found"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon report`."""
    parser = new_parser("lossmon report", _DESCRIPTION, _EPILOG)
    add_paths(parser, piped=True)
    add_out(parser, "output directory (default: .)")
    add_quiet(parser, "do not print the paths of the pages")
    parser.add_argument("--csv", action="store_true", help="also write the points as CSV")
    add_settings(parser, ("smoothing", "x_axis", "log_y", "lang", "sensitivity"))
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the pages and print their paths."""
    from lossmon.ui.export.report import report

    config = settings_of(options)
    with copied_input(options.paths) as locations:
        written = report(existing(locations), config, options.out or Path(), options.csv)
        for path in () if options.quiet else written:
            print(path)
        return 0 if written else no_metrics(locations, config.lang)
