"""`lossmon PATH...`: the screen."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from lossmon import __version__
from lossmon.commands import COMMANDS
from lossmon.commands.inputs import existing, need_terminal, settings_of
from lossmon.commands.parsing import SETTINGS_FILE, add_paths, add_screen_settings, new_parser

_DESCRIPTION = """\
Watch training runs live: loss curves, hardware, and a diagnosis that says what the curves mean.

PATH is what a training writes: an output directory, a log file, or a directory of several
runs. Nothing in the training code changes. A directory that is still empty is waited for.
Without PATH the current directory is watched."""

_EPILOG = """\
commands:
{commands}

A directory that is called like a command is watched as ./check.

examples:
  lossmon ./output
  lossmon runs/a runs/b train.log
  python train.py 2>&1 | tee train.log      and, beside it:  lossmon train.log

exit status: 0 after a normal end, 2 where an argument or a setting is wrong.
Settings come from defaults, then {file}, then LOSSMON_* variables, then flags."""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon PATH...`."""
    rows = [("lossmon PATH...", "watch (q quits, ? lists the keys)")]
    rows += [(f"lossmon {c.name} {c.arguments}".rstrip(), c.summary) for c in COMMANDS]
    width = max(len(usage) for usage, _ in rows)
    commands = "\n".join(f"  {usage:<{width}}  {summary}" for usage, summary in rows)
    parser = new_parser(
        "lossmon", _DESCRIPTION, _EPILOG.format(commands=commands, file=SETTINGS_FILE)
    )
    parser.add_argument("--version", action="version", version=f"lossmon {__version__}")
    add_paths(parser, "what to watch", needed=False)
    add_screen_settings(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Watch until the user quits."""
    config = settings_of(options)
    paths = existing(options.paths or [Path()])
    where = " ".join(str(path) for path in paths)
    need_terminal(f"`lossmon check {where}` prints the same verdict")
    # What is imported and made from here to the first frame stays: looking for garbage in it
    # would take a tenth of the time.
    gc.disable()
    from lossmon.monitor import LocalSource, MonitorConfig
    from lossmon.ui.launch import view

    return view(LocalSource(paths, MonitorConfig.of(config), hardware=config.hardware), config)
