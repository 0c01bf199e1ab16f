"""Placement of the values of a text log: the step that each of them belongs to."""
