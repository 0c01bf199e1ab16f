"""Slurm: jobs through its own commands, and the files that they write."""
