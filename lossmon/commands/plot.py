"""`lossmon plot`: curves as text, without a screen."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING, TextIO

from lossmon.commands.arguments.inputs import copied_input, existing, no_metrics, settings_of
from lossmon.commands.arguments.parsing import (
    add_no_color,
    add_paths,
    add_settings,
    new_parser,
    screen_size,
)
from lossmon.config import Config, config_directory
from lossmon.errors import ConfigError

if TYPE_CHECKING:
    from lossmon.reports.plot import Color, PlotStyle

HEIGHT = 20
"""Rows of a plot where the user gives none."""

LEAST = (30, 10)
"""Columns and rows below which no curve can be made out between title, legend and axes."""

_DESCRIPTION = """\
Draw the curves of runs as text: for mail, CI logs and the end of a job.

Without --metric the train and eval loss are drawn. Colours are used only on a terminal that has
them, and not if NO_COLOR is set."""

_EPILOG = """\
examples:
  lossmon plot ./output
  lossmon plot train.log --metric '*acc*' --metric 'lr' --size 100x15
  lossmon check ./output --plot | mail -s 'run ended' me

exit status:
  0  the curves were printed
  2  an argument or a setting is wrong
  3  no metrics were found"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon plot`."""
    parser = new_parser("lossmon plot", _DESCRIPTION, _EPILOG)
    add_paths(parser, piped=True)
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="GLOB",
        help="draw the series whose tag matches, such as '*acc*'; each --metric gets its own plot",
    )
    parser.add_argument(
        "--size",
        type=partial(screen_size, least=LEAST),
        metavar="WxH",
        help=f"columns and rows of a plot (default: the terminal's width, {HEIGHT} rows)",
    )
    add_no_color(parser)
    add_settings(parser, ("theme", "log_y", "charset", "lang"))
    return parser


def run(options: argparse.Namespace) -> int:
    """Draw and print."""
    config = settings_of(options)
    style = plot_style(config, sys.stdout, options.size)
    from lossmon.reports.check import judged
    from lossmon.reports.plot import plots

    with copied_input(options.paths) as locations:
        runs = drawn = False
        for found in judged(existing(locations), config):
            runs = True
            for text in plots(found, options.metric, style, config.lang):
                print("\n" + text if drawn else text, flush=True)
                drawn = True
        if runs and not drawn:
            raise ConfigError(f"no series matches --metric {' '.join(options.metric)}")
        return 0 if drawn else no_metrics(locations, config.lang)


def plot_style(config: Config, out: TextIO, size: tuple[int, int] | None = None) -> PlotStyle:
    """Size and look of the plots on an output.

    Raises:
        ConfigError: No theme has this name.
    """
    from lossmon.reports.plot import PlotStyle
    from lossmon.ui.terminal import detect

    width, height = size or (max(LEAST[0], shutil.get_terminal_size((80, 24)).columns), HEIGHT)
    colors = _colors(config.theme) if out.isatty() and detect().colors else ()
    return PlotStyle(width, height, colors, config.log_y, _shows_unicode(config.charset, out))


def _shows_unicode(charset: str, out: TextIO) -> bool:
    if charset != "auto":
        return charset == "unicode"
    try:
        "⣿│".encode(out.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _colors(theme: str) -> tuple[Color, ...]:
    """The colours of a theme's curves."""
    from lossmon.reports.plot import TERMINAL_COLORS

    if theme in ("auto", "terminal"):
        return TERMINAL_COLORS
    # Themes are those of the screen, whose import takes a while.
    from lossmon.ui.theme.theme import built_in_directory, full_name, load_themes

    known = load_themes([built_in_directory(), config_directory() / "themes"]).loaded
    colors = known[full_name(theme, known)].colors
    names = ("train", "eval", "ok", "notice", "warning", "key")
    return tuple(_color(colors[name]) for name in names)


def _color(value: str) -> Color:
    """A colour of a theme in the spelling of plotext."""
    if found := re.fullmatch(r"#(..)(..)(..)", value):
        red, green, blue = (int(part, 16) for part in found.groups())
        return red, green, blue
    name = value.removeprefix("ansi_")
    name = name.removeprefix("bright_") + "+" * name.startswith("bright_")
    return {"yellow": "orange", "yellow+": "orange+", "black+": "gray", "white": "gray+"}.get(
        name, name.replace("white+", "white")
    )
