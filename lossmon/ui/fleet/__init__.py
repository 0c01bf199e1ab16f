"""List of runs: filters, order, columns and groups, without a screen."""
