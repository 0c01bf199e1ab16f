"""`lossmon export`: the points of runs as files of other tools."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType

from lossmon.commands.arguments.inputs import copied_input, existing, no_metrics, settings_of
from lossmon.commands.arguments.parsing import (
    add_out,
    add_paths,
    add_quiet,
    add_settings,
    new_parser,
)

FORMATS = ("tensorboard", "csv", "jsonl")
"""Rows of `lossmon.reports.export.formats`, named here because the parser imports no report."""

_DESCRIPTION = """\
Write the points of each run to a file that other tools read.

Any run can be exported, whatever logged it. Points that a restart replaced are left out."""

_EPILOG = """\
examples:
  lossmon export train.log --out tb && tensorboard --logdir tb
  lossmon export runs --format csv --metric '*loss*' --out points

formats:
  tensorboard  an event file per run, with wall times and hyperparameters where known
  csv          one row per point
  jsonl        one record per step

exit status:
  0  the files were written; their paths are printed
  2  an argument or a setting is wrong, or a file cannot be written
  3  no metrics were found"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon export`."""
    parser = new_parser("lossmon export", _DESCRIPTION, _EPILOG)
    add_paths(parser, piped=True)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="tensorboard",
        help="format of the files (default: tensorboard)",
    )
    add_out(parser, "output directory", needed=True)
    add_quiet(parser, "do not print the paths of the files")
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="GLOB",
        help="only series whose tag matches, such as '*loss*'; may be repeated",
    )
    add_settings(parser, ())
    return parser


def run(options: argparse.Namespace) -> int:
    """Export and print the paths of the files."""
    # Where TensorFlow is installed, TensorBoard would import it for its access to files.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
    from lossmon.reports.export.formats import EXPORT_FORMATS, export

    config = settings_of(options)
    format_ = EXPORT_FORMATS[options.format]
    with copied_input(options.paths) as locations:
        written = export(existing(locations), config, format_, options.out, options.metric)
        for path in () if options.quiet else written:
            print(path)
        return 0 if written else no_metrics(locations, config.lang)
