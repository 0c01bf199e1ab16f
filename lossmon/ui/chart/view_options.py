"""How the user wants to see the charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from lossmon.config import Config
from lossmon.fast_dataclass import dataclass
from lossmon.ui.chart.downsample import DEFAULT_WEIGHT


class XAxis(StrEnum):
    """What the charts count along the horizontal."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"
    TOKENS = "tokens"


SMOOTHINGS = (0.0, 0.3, DEFAULT_WEIGHT, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
"""The ladder of `+` and `-`: each step about doubles how far the smoothing reaches."""


@dataclass(frozen=True, slots=True)
class ChartSettings:
    """How the user wants to see the charts.

    Attributes:
        smoothing: How much dense curves are smoothed, 0 to 0.999.
        x: What the horizontal counts.
        log: Logarithmic loss.
        log_x: Logarithmic horizontal.
        robust: The range ignores outliers, which are marked at the edge.
        own: Each pane has its own range instead of a shared one.
        recent: Only the newest part of the run.
        overlaid: Train and eval in one pane even where two fit.
        hidden: Panes that the user closed: `train`, `eval`, `metrics`, `hardware`,
            `configuration`, `log`, `verdicts`.
        sizes: Sizes that the user gave to panes, as in `PaneLayout`.
    """

    smoothing: float = DEFAULT_WEIGHT
    x: XAxis = XAxis.STEP
    log: bool = False
    log_x: bool = False
    robust: bool = True
    own: bool = True
    recent: bool = False
    overlaid: bool = False
    hidden: frozenset[str] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)


def chart_settings_of(config: Config) -> ChartSettings:
    """How the charts begin."""
    from lossmon.ui.chart.view_options import ChartSettings, XAxis

    return ChartSettings(
        smoothing=config.smoothing,
        x=XAxis(config.x_axis),
        log=config.log_y,
        robust=not config.outliers,
    )
