"""Benchmarks: figures next to those of a peer or a lower bound, in one run."""
