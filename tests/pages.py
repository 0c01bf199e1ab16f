"""The commands that the documents show, for tests that run them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from lossmon import commands
from tests.readme import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
"""Every document for users."""

OPERATORS = set("|&;<>()")


def shown_commands(page: Path) -> list[str]:
    """The lines of a document's plain code blocks that call lossmon or make, without comments.

    A line with a placeholder in brackets or an ellipsis is a synopsis, and left out.
    """
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line for language, block in blocks if not language for line in block.splitlines()]
    lines = [re.sub(r"\s+# .*", "", line) for line in lines]
    called = [line for line in lines if line.startswith(("lossmon ", "make ", "tmux "))]
    return [line for line in called if "[" not in line.replace("'[.", "") and "..." not in line]


def is_for_a_shell(line: str) -> bool:
    """Whether a line needs a shell: a pipe, a redirection, a second command."""
    return first_command(line) != shlex.split(line) or not line.startswith("lossmon ")


def first_command(line: str) -> list[str]:
    """The words of the first command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= OPERATORS:
            break
        words.append(word)
    return words


def is_taken(line: str) -> bool:
    """Whether the parsers of the program, or the Makefile, take the first command of a line."""
    program, *arguments = first_command(line)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return arguments[0] in targets
    if program != "lossmon":
        return True
    name = arguments[0] if arguments[0] in commands.NAMES else commands.VIEW
    given = arguments[1:] if name != commands.VIEW else arguments
    # A wrong argument ends the parser with `SystemExit`.
    return commands.module(name).parser().parse_args(given) is not None
