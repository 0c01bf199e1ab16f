"""What holds for every test."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before numpy is imported: with a thread a core, small matrices wait for each other, and on a
# busy machine a training of one second takes a minute.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# Every worker collects all tests, and hundreds of processes start: what one of them has compiled,
# the others should find.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The sentences that the tests expect are English, whatever the person who runs them speaks.
for _variable in ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"):
    os.environ.pop(_variable, None)

# What a person has chosen on the screen is not what the tests expect, and theirs is not the
# person's to keep.
_state = tempfile.TemporaryDirectory(prefix="lossmon-tests-")
os.environ["XDG_STATE_HOME"] = _state.name

# The same examples at every run: a change is judged by what it changed, not by luck.
# HYPOTHESIS_PROFILE=explore looks for new ones, and for many.
settings.register_profile("fixed", max_examples=25, derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# A shell without job control starts what runs in the background with the first two ignored, `nohup`
# with the third, and what is started from here would ignore them too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

SLOW = (
    "alerts/test_watching.py",
    "cluster/",
    "demo/",
    "diagnosis/test_properties.py",
    "fuzz/",
    "integrations/",
    "monitor/test_hardware_findings.py",
    "nodes/",
    "prometheus/",
    "readers/",
    "remote/",
    "reports/test_schema.py",
    "test_alerts_page.py",
    "test_cli.py",
    "test_dead_mount.py",
    "test_own_writes.py",
    "test_packages.py",
    "test_shared_samples.py",
    "test_system_faults.py",
    "test_terminal.py",
    "test_walk.py",
    "ui/screens/",
    "ui/test_",
    "ui/web/",
    "ui/widgets/",
)
"""What `make check` leaves to `make test`: tests that open apps, terminals or servers, train a
demo, try out random or damaged input, or read samples in every way."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests by their place."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than processors: a third of the tests' time is waiting for terminals."""
    return len(os.sched_getaffinity(0)) + 2


def pytest_configure() -> None:
    """Tests look at a database as soon as they have written to it."""
    from lossmon.readers.databases import reader

    reader.REST = 0.0


def pytest_collection_finish() -> None:
    """Keep what was imported out of the garbage collector: it would look through it ever again."""
    gc.collect()
    gc.freeze()
