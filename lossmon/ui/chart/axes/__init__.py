"""Axes of a chart: ranges, ticks, zoom and the logarithm of x."""
