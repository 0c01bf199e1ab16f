"""Where MLflow's file store keeps its metrics: files whose names say nothing of what they are."""

from __future__ import annotations

import os

META = "meta.yaml"
"""File that tells of a run what it is."""

_METRICS = f"{os.sep}metrics{os.sep}"


def is_metric(path: str) -> bool:
    """Whether a file lies below the `metrics` of a run of MLflow's file store.

    A metric may be called anything, and the parts of its name are directories.
    """
    run = os.path.abspath(path)
    while _METRICS in run:
        run, _, _ = run.rpartition(_METRICS)
        if os.path.isfile(os.path.join(run, META)):
            return True
    return False
