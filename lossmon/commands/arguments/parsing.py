"""Parsers of the command line: types of arguments, and the flags of the settings table."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lossmon.config import SETTINGS, Setting, config_directory, displayed
from lossmon.errors import did_you_mean
from lossmon.locale import message
from lossmon.sanitize import cells

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

SCHEMES: Mapping[str, str] = {
    "prometheus+http": "lossmon.prometheus.source",
    "prometheus+https": "lossmon.prometheus.source",
    **dict.fromkeys(
        ("ssh", "sftp", "s3", "s3a", "gs", "gcs", "hf", "az", "abfs", "hdfs"),
        "lossmon.remote.source",
    ),
}
"""Module that opens the addresses of each scheme, by its `open_source`."""


class Address(str):
    """An address of runs that are not files of this machine (`ssh://trainbox/data/run`)."""

    __slots__ = ()

    @property
    def scheme(self) -> str:
        """What stands before `://`, a key of `SCHEMES`."""
        return self.partition("://")[0].lower()


Location = Path | Address


def location(text: str) -> Location:
    """A path or an address, as an argparse type."""
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() in SCHEMES:
        return Address(text)
    if separator and scheme.isalpha() and not os.path.lexists(text):
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise argparse.ArgumentTypeError(f"{text!r} cannot be read: addresses begin with {known}")
    if not text:
        # Such as "$OUT" where OUT is not set: the current directory is not what was meant.
        raise argparse.ArgumentTypeError("the path is empty; the current directory is written .")
    return Path(text)


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Seconds per unit of a duration."""


class _CommandParser(argparse.ArgumentParser):
    """Prints errors in one line, and a help that begins with examples."""

    def _usage(self, prefix: str) -> argparse.HelpFormatter:
        formatter = self.formatter_class(prog=f"{self.prog} [OPTION]...")
        needed = [one for one in self._actions if one.required or not one.option_strings]
        # Arguments between options are parsed without those that are none; the usage is kept.
        formatter.add_usage(self.usage, needed, [], prefix)
        return formatter

    def format_usage(self) -> str:
        return self._usage("usage: ").format_help()

    def format_help(self) -> str:
        formatter = self._usage(message("usage: "))
        formatter.add_text(_help_text(self.description or ""))
        formatter.add_text(_help_text(self.epilog or ""))
        for group in self._action_groups:
            formatter.start_section(message(group.title or ""))
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        return formatter.format_help()

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        # argparse ignores that an output takes no more.
        if message and file is sys.stdout:
            print(message, end="", flush=True)
        else:
            super()._print_message(message, file)

    def error(self, wrong: str) -> NoReturn:
        text = f"{wrong}{self._meant(wrong)}; see {self.prog} --help"
        self.exit(2, f"{self.prog}: {cells(message(text))}\n")

    def _meant(self, message: str) -> str:
        """What the user may have meant, from argparse's words on what is wrong."""
        if flag := re.match(r"unrecognized arguments: (--[\w-]+)", message):
            return did_you_mean(flag[1], self._option_string_actions)
        if word := re.match(r"unrecognized arguments: ([\w-]+)$", message):
            for one in self._actions:
                if word[1] in (one.choices or ()):
                    return f"; did you mean {one.option_strings[-1]} {word[1]}?"
        if choice := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            return did_you_mean(choice[1], re.findall(r"[\w-]+", choice[2]))
        return ""


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Prints texts without reformatting, and the help of arguments in the user's language."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        own = message(text)
        return super()._split_lines(text, width) if own == text else _wrapped(own, width)


_MEANING = re.compile(r"(?:( *\S.*?  +| +))?(\S.*)")
"""A line of a list in the help: a command or a word, and after two spaces what it means."""

HELP_WIDTH = 98
"""Cells per line of the paragraphs of a translated help."""


def _help_text(text: str) -> str:
    """A text of the help in the user's language: lists line by line, else by paragraphs."""
    return "\n\n".join(
        "\n".join(map(_help_line, block.split("\n")))
        if block.partition("\n")[0].endswith(":")
        else _paragraph(block)
        for block in text.split("\n\n")
    )


def _help_line(line: str) -> str:
    found = _MEANING.fullmatch(line)
    return f"{found[1] or ''}{message(found[2])}" if found else line


def _paragraph(text: str) -> str:
    own = message(words := " ".join(text.split()))
    return text if own == words else "\n".join(_wrapped(own, HELP_WIDTH))


def _wrapped(text: str, width: int) -> list[str]:
    # English help is printed without what the screen needs.
    from lossmon.ui.text.lines import wrap

    return wrap(text, width)


def settings_file() -> str:
    """Where the settings are read from, as people write it."""
    return displayed(config_directory() / "config.toml")


def new_parser(program: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """Return a parser that prints its texts without reformatting."""
    return _CommandParser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )


def add_paths(parser: argparse.ArgumentParser, *, needed: bool = True, piped: bool = False) -> None:
    """Add the paths of a command.

    Args:
        parser: The parser of the command.
        needed: At least one path must be given.
        piped: The command also reads standard input, which is written `-`.
    """
    parser.add_argument(
        "paths",
        nargs="+" if needed else "*",
        type=location if piped else _not_piped,
        metavar="PATH",
        help="run directories or log files" + (", - for standard input" if piped else ""),
    )


def _not_piped(text: str) -> Location:
    if text == "-":
        raise argparse.ArgumentTypeError(
            "-: standard input cannot be read here; a file of this name is written ./-"
        )
    return location(text)


def add_screen_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting."""
    add_settings(parser, tuple(one.name for one in SETTINGS))


def add_no_color(parser: argparse.ArgumentParser) -> None:
    """Add the flag that switches colours off."""
    parser.add_argument(
        "--no-color", action="store_true", help="print no colours, as with NO_COLOR=1"
    )


def add_quiet(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add the flag that switches the output off."""
    parser.add_argument("-q", "--quiet", action="store_true", help=meaning)


def add_out(parser: argparse.ArgumentParser, meaning: str, *, needed: bool = False) -> None:
    """Add the directory that a command writes to."""
    parser.add_argument("-o", "--out", type=directory, metavar="DIR", required=needed, help=meaning)


def add_channels(parser: argparse.ArgumentParser) -> None:
    """Add a flag per alert channel; each may be given several times."""
    from lossmon.alerts.channels import CHANNELS

    group = parser.add_argument_group("channels, in addition to those of [alerts] in the settings")
    for row in CHANNELS:
        if row.key:
            group.add_argument(
                f"--{row.name}",
                action="append",
                default=[],
                metavar=row.key.upper(),
                help=row.summary,
            )
        elif row.paced:
            group.add_argument(f"--{row.name}", action="store_true", help=row.summary)


def channel_flags(options: argparse.Namespace) -> list[tuple[str, dict[str, str]]]:
    """The channels that were named on the command line, with their settings."""
    from lossmon.alerts.channels import CHANNELS

    found: list[tuple[str, dict[str, str]]] = []
    for row in CHANNELS:
        if row.key:
            found += [(row.name, {row.key: value}) for value in getattr(options, row.name)]
        elif row.paced and getattr(options, row.name):
            found.append((row.name, {}))
    return found


def add_settings(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    """Add a flag for each of the settings named, and `--config`."""
    group = parser.add_argument_group("settings")
    for setting in SETTINGS:
        if setting.name in names:
            _add_setting(group, setting)
    group.add_argument("--config", type=Path, metavar="FILE", help="settings file to read")


def _add_setting(group: argparse._ArgumentGroup, setting: Setting) -> None:
    flag = "--" + setting.name.replace("_", "-")
    text = f"{setting.meaning} (default: {setting.default})"
    if isinstance(setting.default, bool):
        group.add_argument(
            flag, dest=setting.name, action=argparse.BooleanOptionalAction, help=setting.meaning
        )
    elif setting.choices:
        group.add_argument(flag, dest=setting.name, choices=setting.choices, help=text)
    elif isinstance(setting.default, float):
        group.add_argument(flag, dest=setting.name, type=float, metavar="X", help=text)
    else:
        group.add_argument(flag, dest=setting.name, metavar="NAME", help=text)


def directory(text: str) -> Path:
    """A directory to write to, which need not exist yet, as an argparse type."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a directory")
    return path


def whole_number(text: str, low: int = 0) -> int:
    """A whole number from `low` on, as an argparse type."""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) >= low):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} on")
    return int(text)


positive_number = partial(whole_number, low=1)
"""A whole number from 1 on, as an argparse type."""


def port(text: str) -> int:
    """A port of TCP, as an argparse type."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def duration(text: str) -> float:
    """A duration such as `90s`, `30m`, `12h` or `2d` in seconds, as an argparse type."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in UNITS else (text, "s")
    try:
        seconds = float(number) * UNITS[unit]
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90s, 30m, 12h or 2d")
    return seconds


def interval(text: str) -> float:
    """A duration between two samples in seconds, as an argparse type."""
    seconds = duration(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration from 0.1s to 1h")
    return seconds


def screen_size(text: str, least: tuple[int, int] = (20, 5)) -> tuple[int, int]:
    """Columns and rows as `120x40`, as an argparse type."""
    width, _, height = text.lower().partition("x")
    if width.isdecimal() and height.isdecimal():
        size = int(width[:5]), int(height[:5])
        if all(low <= one <= 1000 for low, one in zip(least, size, strict=True)):
            return size
    smallest = "x".join(map(str, least))
    raise argparse.ArgumentTypeError(f"{text!r} is not a size from {smallest} to 1000x1000")
