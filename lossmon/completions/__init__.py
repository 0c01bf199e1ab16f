"""Completions of shells and the man page, made from the parsers of the commands.

Ours, since the first word may be a path as well as a command: the generators that there are know
one or the other.
"""
