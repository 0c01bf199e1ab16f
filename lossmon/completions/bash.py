"""Completion for bash (3.2 and later)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from lossmon.completions import CommandSpec

HEAD = """\
# Completion of lossmon for bash. Put this into a file that your shell reads:
#   lossmon completions bash > ~/.local/share/bash-completion/completions/lossmon

_lossmon_words() {
    local line
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$1" -- "$word")
}

_lossmon_paths() {
    local line
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word")
}

_lossmon() {
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command=""
    COMPREPLY=()
    if (( COMP_CWORD > 1 )); then
        case "${COMP_WORDS[1]}" in
"""

TAIL = """\
    esac
}

complete -o filenames -F _lossmon lossmon
"""


def script(commands: Sequence[CommandSpec]) -> str:
    """The completion script; the first command is the screen."""
    names = [one.name for one in commands if one.name]
    lines = [f'            {"|".join(names)}) command="${{COMP_WORDS[1]}}" ;;']
    lines += ["        esac", "    fi", '    case "$command $before" in']
    lines += [line for one in commands for line in _values(one)]
    lines += ["    esac", '    case "$command" in']
    for one in commands:
        lines += _words(one, names if not one.name else [])
    return HEAD + "\n".join(lines) + "\n" + TAIL


def _values(command: CommandSpec) -> Iterator[str]:
    """What may follow a flag."""
    for flag in command.flags:
        if not flag.value:
            continue
        pattern = "|".join(shlex.quote(f"{command.name} {name}") for name in flag.names)
        if flag.choices:
            action = f"_lossmon_words {shlex.quote(' '.join(flag.choices))}; "
        else:
            action = "_lossmon_paths; " if flag.takes_path else ""
        yield f"        {pattern}) {action}return ;;"


def _words(command: CommandSpec, names: Sequence[str]) -> Iterator[str]:
    """What may stand elsewhere."""
    flags = " ".join(name for flag in command.flags for name in flag.names)
    yield f"        {shlex.quote(command.name)})"
    yield '            if [[ "$word" == -* ]]; then'
    yield f"                _lossmon_words {shlex.quote(flags)}"
    yield "            else"
    if names:
        yield "                (( COMP_CWORD == 1 )) && "
        yield f"                    _lossmon_words {shlex.quote(' '.join(names))}"
    if command.words:
        yield f"                _lossmon_words {shlex.quote(' '.join(command.words))}"
    yield f"                {'_lossmon_paths' if command.takes_paths else ':'}"
    yield "            fi ;;"
