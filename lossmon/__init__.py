"""lossmon: watch a training run live in the terminal, and know what it means.

From Python:

    import lossmon

    for run in lossmon.read("./output"):
        print(run.name, run.verdict.code, run.best)

    diagnosis = lossmon.diagnose(steps, losses, eval_steps, eval_losses)

Nothing is imported until a name is used, so that `import lossmon` takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lossmon.version import __version__ as __version__

if TYPE_CHECKING:
    from lossmon.api import Run as Run
    from lossmon.api import describe as describe
    from lossmon.api import diagnose as diagnose
    from lossmon.api import follow as follow
    from lossmon.api import read as read
    from lossmon.errors import LossmonError as LossmonError
    from lossmon.types import Advice as Advice
    from lossmon.types import Best as Best
    from lossmon.types import Diagnosis as Diagnosis
    from lossmon.types import Finding as Finding
    from lossmon.types import Series as Series
    from lossmon.types import Severity as Severity

_MODULES = {
    **dict.fromkeys(("Run", "describe", "diagnose", "follow", "read"), "lossmon.api"),
    **dict.fromkeys(
        ("Advice", "Best", "Diagnosis", "Finding", "Series", "Severity"), "lossmon.types"
    ),
    "LossmonError": "lossmon.errors",
}
"""Module of each name of the API."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'lossmon' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
