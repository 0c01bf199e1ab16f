"""`lossmon help`: the help of a command."""

from __future__ import annotations

import argparse

from lossmon import commands
from lossmon.commands.arguments.parsing import new_parser

_DESCRIPTION = "Print the help of a command, or of lossmon."

_EPILOG = """\
examples:
  lossmon help
  lossmon help check

exit status:
  0  the help was printed
  2  the command does not exist"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon help`."""
    parser = new_parser("lossmon help", _DESCRIPTION, _EPILOG)
    names = [command.name for command in commands.COMMANDS]
    parser.add_argument(
        "command", nargs="?", choices=names, metavar="COMMAND", help="name of a command"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the help."""
    commands.module(options.command or commands.VIEW).parser().print_help()
    return 0
