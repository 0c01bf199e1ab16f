"""`lossmon report`: a page of HTML per run."""

from __future__ import annotations

import argparse
from pathlib import Path

from lossmon.commands.inputs import existing, no_metrics, settings_of
from lossmon.commands.parsing import add_paths, add_settings, new_parser

_DESCRIPTION = """\
Write a page of HTML for each run: its verdict, its curves, its metrics and its settings.

The page needs no script and fetches nothing, so it can be mailed or kept beside the weights."""

_EPILOG = """\
exit status:
  0  the pages are written; their names are printed
  2  an argument or a setting is wrong, or a file cannot be written
  3  no metrics were found

examples:
  lossmon report ./output
  lossmon report runs --out pages --csv"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon report`."""
    parser = new_parser("lossmon report", _DESCRIPTION, _EPILOG)
    add_paths(parser, "what to tell of")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=Path(), help="where to write (default: here)"
    )
    parser.add_argument("--csv", action="store_true", help="write the points too")
    add_settings(parser, ("smoothing", "x_axis", "log_y", "lang", "sensitivity"))
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the pages and print their names."""
    from lossmon.ui.export.command import report

    config = settings_of(options)
    written = report(existing(options.paths), config, options.out, options.csv)
    for path in written:
        print(path)
    return 0 if written else no_metrics(options.paths)
