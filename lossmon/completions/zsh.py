"""Completion for zsh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossmon.completions import CommandSpec, FlagSpec

HEAD = """\
#compdef lossmon
# Completion of lossmon for zsh. Put this into a directory of your fpath:
#   lossmon completions zsh > ~/.zfunc/_lossmon

_lossmon() {
    local -a commands
    commands=(
"""

TAIL = """\
    esac
}

_lossmon "$@"
"""


def script(commands: Sequence[CommandSpec]) -> str:
    """The completion script; the first command is the screen."""
    screen, *named = commands
    lines = [f"        {_quoted(f'{one.name}:{_plain(one.summary)}')}" for one in named]
    lines += ["    )", "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then"]
    lines += ["        _describe command commands", "        _files", "        return", "    fi"]
    lines += ["    case $words[2] in"]
    for one in (*named, screen):
        lines += [f"        {one.name or '*'})"]
        if one.name:
            lines += ["            shift words", "            (( CURRENT-- ))"]
        lines += ["            _arguments -S \\"]
        lines += [f"                {line} \\" for line in _arguments(one)]
        lines[-1] = lines[-1].removesuffix(" \\")
        lines += ["            ;;"]
    return HEAD + "\n".join(lines) + "\n" + TAIL


def _arguments(command: CommandSpec) -> Iterator[str]:
    for flag in command.flags:
        for name in flag.names:
            yield _quoted(f"*{name}[{_bracketed(flag.summary)}]{_value(flag)}")
    if command.words:
        yield _quoted(f"1:word:({' '.join(command.words)})")
    if command.takes_paths:
        yield _quoted("*:path:_files")


def _value(flag: FlagSpec) -> str:
    if not flag.value:
        return ""
    if flag.choices:
        return f":{flag.value}:({' '.join(flag.choices)})"
    return f":{flag.value}:{'_files' if flag.takes_path else ' '}"


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _bracketed(text: str) -> str:
    return _plain(text).replace("[", "\\[").replace("]", "\\]")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
