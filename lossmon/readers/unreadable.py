"""Trackers whose own stores are not read, and what to tell their users."""

from __future__ import annotations

_INSTEAD = "give the text log of the training, or let it log to TensorBoard or CSV as well"

UNREADABLE = {
    ".aim": f"Aim's own database (RocksDB), which only Aim can read; {_INSTEAD}",
    ".neptune": f"Neptune's offline store, which only Neptune can read; {_INSTEAD}",
}
"""Name of a directory that holds metrics in a form that is not read → what to say about it."""
