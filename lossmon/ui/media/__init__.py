"""Histograms, PR curves and images without a widget."""
