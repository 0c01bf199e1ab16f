"""Views of histograms, curves and images."""
