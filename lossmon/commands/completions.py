"""`lossmon completions`: completion scripts of shells, and the man page."""

from __future__ import annotations

import argparse
from importlib import import_module

from lossmon import commands
from lossmon.commands.arguments.parsing import new_parser
from lossmon.version import __version__

SHELLS = ("bash", "zsh", "fish")
"""Shells that have a script."""

MAN = "man"
"""The word for the man page."""

_DESCRIPTION = """\
Print a completion script for a shell, or the man page. Both are made from the same parsers that
read the command line."""

_EPILOG = """\
examples:
  lossmon completions bash > ~/.local/share/bash-completion/completions/lossmon
  lossmon completions zsh > ~/.zfunc/_lossmon
  lossmon completions fish > ~/.config/fish/completions/lossmon.fish
  lossmon completions man > ~/.local/share/man/man1/lossmon.1

exit status:
  0  the script or the page was printed
  2  an argument is wrong"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon completions`."""
    parser = new_parser("lossmon completions", _DESCRIPTION, _EPILOG)
    parser.add_argument(
        "what",
        choices=(*SHELLS, MAN),
        metavar="SHELL",
        help=f"{', '.join(SHELLS)}, or man for the man page",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the script or the page."""
    from lossmon.completions import command_spec

    screen = commands.module(commands.VIEW).parser()
    specs = [command_spec("", "watch", screen)]
    for one in commands.COMMANDS:
        specs.append(command_spec(one.name, one.summary, commands.module(one.name).parser()))
    made = import_module(f"lossmon.completions.{options.what}")
    print(made.page(specs, __version__) if options.what == MAN else made.script(specs), end="")
    return 0
