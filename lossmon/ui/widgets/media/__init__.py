"""Widgets that show histograms and images."""
