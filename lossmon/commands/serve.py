"""`lossmon serve`: the screen in a browser."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from lossmon.commands.arguments.inputs import existing, need_extra, settings_of
from lossmon.commands.arguments.parsing import add_paths, add_screen_settings, new_parser, port
from lossmon.config import SETTINGS

_DESCRIPTION = """\
Show the same screen in a browser.

Listens on localhost only, unless --host is given, and requires the token that is printed. Every
browser tab has a screen of its own."""

_EPILOG = """\
needs: pip install 'lossmon[web]'

examples:
  lossmon serve ./output
  ssh -L 8000:localhost:8000 trainbox       then, there:  lossmon serve ./output

exit status:
  0  ended by a signal
  2  an argument or a setting is wrong, or the address cannot be listened on"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon serve`."""
    parser = new_parser("lossmon serve", _DESCRIPTION, _EPILOG)
    add_paths(parser, needed=False)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port",
        type=port,
        default=8000,
        metavar="N",
        help="port to listen on, 0 for any free one (default: 8000)",
    )
    add_screen_settings(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    # The screens check the settings too, but an error should be seen without a browser.
    settings_of(options)
    paths = existing(options.paths or [Path()], wait=True)
    need_extra("web", "aiohttp", "textual_serve")
    from lossmon.ui.web.server import serve

    return serve(paths, flags_of(options), options.host, options.port, partial(print, flush=True))


def flags_of(options: argparse.Namespace) -> list[str]:
    """The settings that were given, as flags of the command of the screen."""
    flags = []
    for setting in SETTINGS:
        value = getattr(options, setting.name, None)
        flag = "--" + setting.name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else flag.replace("--", "--no-", 1))
        elif value is not None:
            flags += [flag, str(value)]
    if options.config is not None:
        flags += ["--config", str(options.config.resolve())]
    return flags
