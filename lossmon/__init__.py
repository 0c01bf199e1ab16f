"""lossmon: watch a training run live in the terminal, and know what it means."""

__version__ = "0.1.0"
