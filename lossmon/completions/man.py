"""Man page, as source for troff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lossmon.completions import CommandSpec, FlagSpec

FILES = (
    ("~/.config/lossmon/config.toml", "Settings; `lossmon config` prints those in force."),
    ("~/.config/lossmon/themes/", "Themes of the user."),
    (
        "~/.local/state/lossmon/",
        "What the screen remembers, what the watch has sent, errors of lossmon itself.",
    ),
    ("~/.cache/lossmon/", "Status lines; may be deleted at any time."),
)
"""What lossmon keeps, and where."""

_ENTRY = re.compile(r"^  (\S.*?)  +(\S.*)$")


def page(commands: Sequence[CommandSpec], version: str) -> str:
    """The page; the first command is the screen."""
    screen, *named = commands
    lines = [
        f'.TH LOSSMON 1 "" "lossmon {version}" "User Commands"',
        ".SH NAME",
        r"lossmon \- watch training runs live, and know what the curves mean",
        ".SH SYNOPSIS",
        *("lossmon [OPTION]... [PATH]...", ".br", "lossmon COMMAND [OPTION]... [ARGUMENT]..."),
        ".SH DESCRIPTION",
        *_paragraphs(screen.description),
        ".SH OPTIONS",
        *(line for flag in screen.flags for line in _flag(flag)),
        ".SH COMMANDS",
        *(line for one in named for line in _command(one)),
        ".SH FILES",
        *(line for name, text in FILES for line in _entry(name, text)),
    ]
    return "\n".join(lines) + "\n"


def _command(command: CommandSpec) -> Iterator[str]:
    yield f".SS {_text(f'lossmon {command.name}')}"
    yield _text(command.usage.replace(" [-h]", ""))
    yield from _paragraphs(command.description)
    for flag in command.flags:
        if "--help" not in flag.names:
            yield from _flag(flag)
    for block in command.epilog.split("\n\n"):
        yield from _block(block)


def _flag(flag: FlagSpec) -> Iterator[str]:
    value = f" {'|'.join(flag.choices) or flag.value}" if flag.value else ""
    yield from _entry(", ".join(name + value for name in flag.names), flag.summary)


def _entry(head: str, text: str) -> Iterator[str]:
    yield from (".TP", rf"\fB{_text(head)}\fR", _text(text))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from (".PP", _text(" ".join(paragraph.split())))


def _block(text: str) -> Iterator[str]:
    """A heading with indented lines below it: a list where all have two columns."""
    heading, *lines = text.strip("\n").split("\n")
    if not lines:
        yield from _paragraphs(text)
        return
    yield from (".PP", rf"\fB{_text(heading.rstrip(':'))}\fR")
    entries = [_ENTRY.match(line) for line in lines]
    if all(entries):
        for entry in entries:
            if entry is not None:
                yield from _entry(entry[1], entry[2])
        return
    yield from (".nf", *(_text(line) for line in lines), ".fi")


def _text(text: str) -> str:
    """Text that troff prints as it is."""
    safe = text.replace("\\", r"\e").replace("-", r"\-")
    safe = "".join(one if one.isascii() else rf"\[u{ord(one):04X}]" for one in safe)
    return rf"\&{safe}" if safe[:1] in (".", "'") else safe
