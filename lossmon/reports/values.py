"""Values of records, as JSON has them."""

from __future__ import annotations

import math


def finite(value: float | None) -> float | None:
    """Return a number, or None where it is unknown, NaN or infinite: JSON has none of these."""
    return None if value is None or not math.isfinite(value) else value
