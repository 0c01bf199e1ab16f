"""The list of runs: filters, order, columns and groups, without a screen."""
