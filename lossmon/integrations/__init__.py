"""Callbacks for training frameworks; each module needs its framework, and nothing else does."""
