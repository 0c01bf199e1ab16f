"""`lossmon doctor`: what works here and what does not."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from lossmon.commands.arguments.inputs import settings_of
from lossmon.commands.arguments.parsing import add_paths, add_settings, new_parser
from lossmon.config import spoken_language

_DESCRIPTION = """\
Check the terminal, the file system of PATH (default: the current directory), file events, clocks,
the NVIDIA driver, optional parts, settings, directories and the error log. Each line that is not
good says what to do.

On a network file system that may be written, an empty file is made in PATH and removed at once, to
compare the clock of the server with that of this machine."""

_EPILOG = """\
examples:
  lossmon doctor
  lossmon doctor /mnt/nfs/runs

exit status:
  0  lossmon works here, perhaps with less than it could have
  1  it cannot: a path or the settings are wrong
  2  an argument is wrong"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon doctor`."""
    parser = new_parser("lossmon doctor", _DESCRIPTION, _EPILOG)
    add_paths(parser, needed=False)
    add_settings(parser, ("lang",))
    return parser


def run(options: argparse.Namespace) -> int:
    """Check, and print."""
    from lossmon.doctor.examination import examine, write

    load = partial(settings_of, options)
    language = spoken_language(options.lang, options.config, os.environ)
    results = examine(options.paths or [Path()], load)
    return 0 if write(results, sys.stdout, language) else 1
