"""Version of lossmon."""

__version__ = "0.1.0"
