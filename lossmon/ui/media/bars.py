"""Bars of one histogram: its counts over the range of its values."""

from __future__ import annotations

import numpy as np

from lossmon.types import Histogram
from lossmon.ui.media.heat import densities, value_range

_LEVELS = " ▁▂▃▄▅▆▇█"


def bars(histogram: Histogram, columns: int, rows: int) -> list[str]:
    """Draw a histogram as bars, low values at the left; every bin with values has a bar.

    Args:
        histogram: The histogram.
        columns: Bars, one cell wide each.
        rows: Cells of the highest bar.

    Returns:
        The rows, top to bottom.
    """
    low, high = value_range([histogram])
    heights = densities([histogram], low, high, columns)[::-1, 0]
    eighths = np.maximum(np.round(heights * rows * 8), heights > 0)
    return [
        "".join(_LEVELS[int(level)] for level in np.clip(eighths - 8 * below, 0, 8))
        for below in range(rows - 1, -1, -1)
    ]
