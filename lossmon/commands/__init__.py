"""Commands: one module and one row per command."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    import argparse


class Command(NamedTuple):
    """A row of the command table.

    Attributes:
        name: Name on the command line, and of the module in this package.
        arguments: Arguments, for the overview.
        summary: One line of the overview.
    """

    name: str
    arguments: str
    summary: str


class CommandModule(Protocol):
    """Contents of the module of a command."""

    def parser(self) -> argparse.ArgumentParser:
        """Return the parser of its arguments."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Run the command and return the exit status.

        Raises:
            LossmonError: An argument, a setting or a path is wrong.
        """
        ...


COMMANDS: tuple[Command, ...] = (
    Command("explain", "PATH...", "show the format of each file and what is read from it"),
    Command("check", "PATH...", "print the verdict without a screen, as text or JSON"),
    Command("watch", "PATH...", "send alerts without a screen, for days; stop runs early"),
    Command("notify", "--test", "send a test alert to every channel"),
    Command("report", "PATH...", "write one page of HTML per run"),
    Command("plot", "PATH...", "draw curves as text, for mail, CI logs and the end of a job"),
    Command("export", "PATH...", "write points for TensorBoard, as CSV or as JSON lines"),
    Command("serve", "PATH...", "show the screen in a browser"),
    Command("exporter", "PATH...", "serve runs as metrics for Prometheus"),
    Command("hardware", "[PATH...]", "print the GPUs, the host and findings about them"),
    Command("record", "RUN", "record the hardware of this node into a run, for another machine"),
    Command("demo", "", "watch a small real training, healthy or faulty on purpose"),
    Command("doctor", "[PATH...]", "check what works here, and say what to do about the rest"),
    Command("completions", "SHELL", "print completions for bash, zsh or fish, or the man page"),
    Command("config", "", "print the settings in force and their origins"),
    Command("help", "[COMMAND]", "print the help of a command"),
)
"""Every command except the screen, in the order of the overview."""

VIEW = "view"
"""Module of the screen, which has no name on the command line."""

NAMES = frozenset(command.name for command in COMMANDS)


def module(name: str) -> CommandModule:
    """Import the module of a command, and no other."""
    return cast(CommandModule, import_module(f"lossmon.commands.{name}"))
