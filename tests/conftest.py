"""What holds for every test."""

from __future__ import annotations

import gc
import os

from hypothesis import settings

# Before numpy is imported: with a thread a core, small matrices wait for each other, and on a
# busy machine a training of one second takes a minute.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# The sentences that the tests expect are English, whatever the person who runs them speaks.
for _variable in ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"):
    os.environ.pop(_variable, None)

# The same examples at every run: a change is judged by what it changed, not by luck.
# HYPOTHESIS_PROFILE=explore looks for new ones, and for many.
settings.register_profile("fixed", max_examples=25, derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_configure() -> None:
    """Tests look at a database as soon as they have written to it."""
    from lossmon.readers.databases import reader

    reader.REST = 0.0


def pytest_collection_finish() -> None:
    """Keep what was imported out of the garbage collector: it would look through it ever again."""
    gc.collect()
    gc.freeze()
