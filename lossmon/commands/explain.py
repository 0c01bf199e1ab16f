"""`lossmon explain`: which reader takes each file, and what it gives."""

from __future__ import annotations

import argparse
import sys

from lossmon.commands.inputs import NO_METRICS, existing, settings_of
from lossmon.commands.parsing import SETTINGS_FILE, add_paths, add_settings, new_parser

_DESCRIPTION = """\
Say which reader takes each file and why, what comes out of it, and what each kind of line of a
text log gives: what is taken, what is left, and the reason."""

_EPILOG = """\
exit status:
  0  something is read
  2  an argument or a setting is wrong
  3  no reader takes anything

examples:
  lossmon explain ./output
  lossmon explain train.log --line 120

A log that nothing recognises can be read by a pattern of your own, in [patterns] of {file}."""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon explain`."""
    parser = new_parser("lossmon explain", _DESCRIPTION, _EPILOG.format(file=SETTINGS_FILE))
    add_paths(parser, "what to explain")
    parser.add_argument("--line", type=_line, metavar="N", help="one line of a log in detail")
    add_settings(parser, ())
    return parser


def run(options: argparse.Namespace) -> int:
    """Explain and print."""
    from lossmon.reports.explain import explain

    config = settings_of(options)
    read = explain(existing(options.paths), config, sys.stdout, options.line)
    return 0 if read else NO_METRICS


def _line(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**12):
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a line, from 1")
    return int(text)
