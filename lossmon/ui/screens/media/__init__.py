"""Views of histograms, PR curves and images."""
