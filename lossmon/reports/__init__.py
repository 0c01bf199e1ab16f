"""Snapshots to text, JSON and pictures."""
