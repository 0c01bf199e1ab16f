"""The nodes of a run: what a recorder writes on each, and what a login node reads of it."""
