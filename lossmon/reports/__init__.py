"""Reports of runs: text, JSON, metrics, plots and exported files."""
