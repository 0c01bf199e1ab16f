"""`lossmon config`: the settings in force."""

from __future__ import annotations

import argparse
import os

from lossmon.commands.arguments.inputs import settings_of
from lossmon.commands.arguments.parsing import add_screen_settings, new_parser
from lossmon.config import config_directory, describe
from lossmon.locale import message

_DESCRIPTION = "Print the settings in force, as TOML, each with where it came from."

_EPILOG = """\
examples:
  lossmon config
  lossmon config --theme lossmon-light --smoothing 0.8 > mine.toml
  lossmon ./output --config mine.toml

exit status:
  0  the settings were printed
  2  an argument or a setting is wrong"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon config`."""
    parser = new_parser("lossmon config", _DESCRIPTION, _EPILOG)
    add_screen_settings(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the settings."""
    file = options.config or config_directory() / "config.toml"
    config = settings_of(options)
    state = "" if os.access(file, os.R_OK) else message("  (not found; the defaults apply)")
    print(f"# {file}{state}")
    print("\n".join(describe(config)))
    return 0
