"""Completions of shells and the man page, made from the parsers of the commands.

Ours, since the first word may be a path as well as a command: the generators that there are know
one or the other.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lossmon.fast_dataclass import dataclass

PATH_WORDS = ("FILE", "DIR", "PATH")
"""Placeholders that stand for a path, whatever their type."""


@dataclass(frozen=True, slots=True)
class FlagSpec:
    """A flag of a command.

    Attributes:
        names: Its spellings, short ones first.
        summary: What it does.
        value: Placeholder of its value, empty where it takes none.
        choices: Values that it may have, empty where any.
        takes_path: Its value is a path.
    """

    names: tuple[str, ...]
    summary: str
    value: str = ""
    choices: tuple[str, ...] = ()
    takes_path: bool = False


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command.

    Attributes:
        name: What the user types, empty for the screen.
        summary: One line.
        description: Its help, as it is printed.
        epilog: What stands below the flags in its help.
        usage: Its flags and arguments on one line.
        flags: In the order of its help.
        takes_paths: It works on paths.
        words: Words that it takes in place of paths.
    """

    name: str
    summary: str
    description: str
    epilog: str
    usage: str
    flags: tuple[FlagSpec, ...]
    takes_paths: bool
    words: tuple[str, ...] = ()


def command_spec(name: str, summary: str, parser: argparse.ArgumentParser) -> CommandSpec:
    """Describe a command by its parser."""
    flags = [_flag(one) for one in parser._actions if one.option_strings]
    places = [one for one in parser._actions if not one.option_strings]
    words = tuple(str(word) for one in places for word in one.choices or ())
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
    return CommandSpec(
        name,
        summary,
        parser.description or "",
        parser.epilog or "",
        usage,
        tuple(flags),
        any(_takes_path(one) for one in places),
        words,
    )


def _flag(action: argparse.Action) -> FlagSpec:
    names = tuple(sorted(action.option_strings, key=len))
    summary = " ".join((action.help or "").replace("%%", "%").split())
    if action.nargs == 0:
        return FlagSpec(names, summary)
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    choices = tuple(map(str, action.choices or ()))
    value = metavar or action.dest.upper()
    return FlagSpec(names, summary, value, choices, _takes_path(action))


def _takes_path(action: argparse.Action) -> bool:
    return action.type is Path or action.metavar in PATH_WORDS
