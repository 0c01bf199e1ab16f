"""Readers for configuration files of runs."""
