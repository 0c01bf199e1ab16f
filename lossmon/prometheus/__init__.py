"""Prometheus, both ways: an exporter of runs, and a source that reads the runs of a server."""
