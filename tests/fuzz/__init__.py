"""Fuzzing: damaged and hostile files must cost themselves only.

`make fuzz` runs until it is stopped or `--seconds` are over; `make test` runs some hundred cases.
"""
