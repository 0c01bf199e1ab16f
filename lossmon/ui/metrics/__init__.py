"""Metrics of a run as a list: names, order, groups and search."""
