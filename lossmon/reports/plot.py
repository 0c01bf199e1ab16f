"""Plots of a run as text, drawn with plotext, for mail, CI logs and job epilogues."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lossmon.diagnosis.advice import advise
from lossmon.locale import ENGLISH, metric_name, translate
from lossmon.reports.series_names import fitting
from lossmon.sanitize import one_line
from lossmon.types import Axis, Floats, Ints, RunSnapshot, Series

Color = str | tuple[int, int, int]
"""Name of a terminal colour in the spelling of plotext, or RGB."""

TERMINAL_COLORS: tuple[Color, ...] = ("blue+", "orange", "green+", "magenta+", "cyan+", "red+")
"""Colours as the user's terminal defines them."""

MARKERS = ("braille", "x", "o", "+", "*", "#")
"""Markers that distinguish the series without colours."""

_LINE = "⠤⠤"
"""A line of braille in the legend."""

ASCII = str.maketrans("┌┐└┘├┤┬┴┼─│", "+++++++++-|")
"""Frame for outputs that cannot show box-drawing characters."""

TICKS = 5
"""Largest number of labels per axis."""

POINT_GAP = 3
"""Columns per point from which on the points of a series can be told apart."""

MOST_SERIES = 8
"""Largest number of series per plot: more cannot be distinguished."""


class PlotStyle(NamedTuple):
    """Size and look of a plot.

    Attributes:
        width: Columns.
        height: Rows.
        colors: Colours of the series; empty prints no escape sequence.
        log_y: Logarithmic vertical axis.
        unicode: The output can show braille and box-drawing characters.
    """

    width: int = 80
    height: int = 20
    colors: tuple[Color, ...] = ()
    log_y: bool = False
    unicode: bool = True


def headline_losses(run: RunSnapshot) -> list[Series]:
    """The headline train and eval loss of a run, those that there are."""
    return [one for one in (run.train_loss, run.eval_loss) if one is not None]


def plots(
    run: RunSnapshot, patterns: Sequence[str], style: PlotStyle, language: str
) -> Iterator[str]:
    """Draw a run: the series that fit each pattern in a plot, or the headline losses.

    Args:
        patterns: Shell patterns of tags or canonical names; empty for the headline losses.
        language: Language of the verdict, the legend and the axis.
    """
    word = advise(run.diagnosis.verdict, language).badge
    if not patterns:
        yield plot(f"{run.name}: {word}", headline_losses(run) or run.series[:1], style, language)
    for pattern in patterns:
        if series := fitting(run, [pattern]):
            yield plot(f"{run.name}: {word}", series, style, language)


def plot(title: str, series: Sequence[Series], style: PlotStyle, language: str = ENGLISH) -> str:
    """Draw series over their steps.

    Long series are reduced to the minimum and maximum per column; NaN and infinities are left out
    and counted in the legend.

    Args:
        title: Line above the plot; may come from outside.
        series: The series; at most `MOST_SERIES` are drawn.
        language: Language of the legend and the axis.

    Returns:
        Lines without trailing blanks.
    """
    # Imported for those who plot alone; its state is global, so one plot is drawn at a time.
    import plotext

    drawn = [(one, *_visible(one, style)) for one in series[:MOST_SERIES]]
    drawn = [(one, steps, values) for one, steps, values in drawn if len(steps)]
    if not drawn:
        return f"{one_line(title)}: {translate('no finite value to plot', language)}"
    legend = _legend([one for one, *_ in drawn], style, language)
    plotext.clear_figure()
    # Otherwise no plot is larger than what plotext takes for the terminal.
    plotext.limit_size(False, False)
    plotext.plotsize(style.width, style.height - len(legend))
    plotext.theme("clear")
    plotext.title(_in_cells(one_line(title))[: style.width])
    plotext.xlabel(_in_cells(_axis_label([one.axis for one, *_ in drawn], language)))
    if style.log_y:
        plotext.yscale("log")
    for at, (_, steps, values) in enumerate(drawn):
        # Without colours, separate points stay apart from the line that they cross.
        apart = at > 0 and not style.colors and len(steps) <= style.width / POINT_GAP
        draw = plotext.scatter if apart else plotext.plot
        draw(steps.tolist(), values.tolist(), **_look(at, style))
    places = _ticks(np.concatenate([steps for _, steps, _ in drawn]))
    plotext.xticks(places, [f"{place:,.0f}" for place in places])
    places = _ticks(np.concatenate([values for *_, values in drawn]), log=style.log_y)
    plotext.yticks(places, [f"{place:.4g}" for place in places])
    title, *rows = plotext.build().replace(_SECOND_CELL, "").rstrip().splitlines()
    text = "\n".join([title, *legend, *rows])
    if not style.colors:
        text = plotext.uncolorize(text)
    if not style.unicode:
        text = text.translate(ASCII)
    return "\n".join(line.rstrip() for line in text.splitlines())


def _legend(series: Sequence[Series], style: PlotStyle, language: str) -> list[str]:
    """What each series is drawn with, in at most a quarter of the rows; goes above the plot."""
    from plotext import colorize

    lines, room = [""], style.width
    for at, one in enumerate(series):
        look = _look(at, style)
        sample = str(look["marker"]).replace(MARKERS[0], _LINE)
        label = _in_cells(f"  {sample} {_label(one, language)}")[: style.width]
        if len(label) > room:
            lines, room = [*lines, ""], style.width
        shown = label.replace(_SECOND_CELL, "")
        lines[-1] += colorize(shown, look["color"]) if style.colors else shown
        room -= len(label)
    return lines[: style.height // 4]


def _look(at: int, style: PlotStyle) -> dict[str, Color]:
    """Marker and colour of the series at a place of the legend."""
    if style.colors:
        marker = MARKERS[0] if style.unicode else "*"
        return {"marker": marker, "color": style.colors[at % len(style.colors)]}
    marker = MARKERS[at % len(MARKERS)]
    return {"marker": marker if style.unicode or len(marker) == 1 else ".", "color": "default"}


def _label(series: Series, language: str) -> str:
    label = one_line(metric_name(series.meaning.label, language))
    count = series.n_nonfinite
    return f"{label} ({count:,} NaN/Inf)" if count else label


def _axis_label(axes: Sequence[Axis], language: str) -> str:
    words = ("point" if axis is Axis.ORDER else axis.value for axis in axes)
    return " / ".join(dict.fromkeys(translate(word, language) for word in words))


_SECOND_CELL = "\0"


def _in_cells(text: str) -> str:
    """A text with one character per cell: plotext takes every character for one cell."""
    return "".join(
        char + _SECOND_CELL * (unicodedata.east_asian_width(char) in "WF") for char in text
    )


def _visible(series: Series, style: PlotStyle) -> tuple[Ints, Floats]:
    """The points that can be drawn, reduced to two per column where there are more."""
    shown = np.isfinite(series.values)
    if style.log_y:
        shown &= series.values > 0
    steps, values = series.steps[shown], series.values[shown]
    if len(steps) <= 4 * style.width:
        return steps, values
    bounds = np.linspace(0, len(values), 2 * style.width + 1).astype(np.int64).tolist()
    kept: list[int] = []
    for start, end in pairwise(bounds):
        part = values[start:end]
        kept += sorted({start + int(part.argmin()), start + int(part.argmax())})
    return steps[kept], values[kept]


def _ticks(values: Ints | Floats, *, log: bool = False) -> list[float]:
    """Round values between the smallest and the largest of some values."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return [low]
    if log and high / low >= 10:
        return [10.0**n for n in range(math.ceil(math.log10(low)), int(math.log10(high)) + 1)]
    size = 10 ** math.floor(math.log10((high - low) / TICKS))
    step = next(m * size for m in (1, 2, 5, 10, 20) if (high - low) / (m * size) <= TICKS)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]
