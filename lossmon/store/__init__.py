"""Run → tag → series: growable numpy columns under a memory budget."""

from lossmon.store.run import RunStore

__all__ = ["RunStore"]
