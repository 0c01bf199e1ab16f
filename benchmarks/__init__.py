"""Figures beside a peer or a floor, taken in one run: `python -m benchmarks`."""
