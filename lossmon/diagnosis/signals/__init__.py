"""Signals of a run: what the rules look at, each value computed when first needed."""

from lossmon.diagnosis.signals.signals import Signals

__all__ = ["Signals"]
