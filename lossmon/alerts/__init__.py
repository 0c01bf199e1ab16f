"""Alerts: what changes about runs, sent once to whoever should know."""
