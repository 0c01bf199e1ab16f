"""Alerts on changes of runs: each is sent once, to every channel that is set up."""
