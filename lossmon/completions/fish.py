"""Completion for fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossmon.completions import CommandSpec, FlagSpec

HEAD = """\
# Completion of lossmon for fish:
#   lossmon completions fish > ~/.config/fish/completions/lossmon.fish
"""


def script(commands: Sequence[CommandSpec]) -> str:
    """The completion script; the first command is the screen."""
    screen, *named = commands
    names = " ".join(one.name for one in named)
    lines = [
        f"complete -c lossmon -n '__fish_is_first_token' -a {one.name} -d {_quoted(one.summary)}"
        for one in named
    ]
    lines += _flags(screen, f"not __fish_seen_subcommand_from {names}")
    for one in named:
        seen = f"__fish_seen_subcommand_from {one.name}"
        if not one.takes_paths:
            words = f" -a {_quoted(' '.join(one.words))}" if one.words else ""
            lines.append(f"complete -c lossmon -n '{seen}' -f{words}")
        lines += _flags(one, seen)
    return HEAD + "\n".join(lines) + "\n"


def _flags(command: CommandSpec, condition: str) -> Iterator[str]:
    for flag in command.flags:
        names = " ".join(
            f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names
        )
        summary = _quoted(flag.summary)
        yield f"complete -c lossmon -n '{condition}' {names}{_value(flag)} -d {summary}"


def _value(flag: FlagSpec) -> str:
    if not flag.value:
        return ""
    if flag.choices:
        return f" -x -a {_quoted(' '.join(flag.choices))}"
    return " -r -F" if flag.takes_path else " -x"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
