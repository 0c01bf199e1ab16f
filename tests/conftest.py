"""What holds for every test."""

from __future__ import annotations

import os

# Before numpy is imported: with a thread a core, small matrices wait for each other, and on a
# busy machine a training of one second takes a minute.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
