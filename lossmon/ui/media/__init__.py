"""Histograms, curves and images without a widget."""
