"""Metric choices: what the user chose in the metrics view, kept until the end."""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass
from lossmon.ui.metrics.ranking import MetricSort


@dataclass(slots=True)
class MetricChoices:
    """Filter, order and place.

    Attributes:
        filter: What was typed to filter metrics (see `lossmon.ui.metrics.search`).
        sort: What they are sorted by.
        group: Key of the open group, None where all metrics are shown.
        chosen: Key of the chosen metric, None before the first choice.
    """

    filter: str = ""
    sort: MetricSort = MetricSort.IMPORTANCE
    group: str | None = None
    chosen: str | None = None
