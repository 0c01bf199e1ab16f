"""Nodes of a run: their recorder, and its reader on a login node."""
