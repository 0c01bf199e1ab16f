"""What an unclear name may mean, and the words for it."""

from __future__ import annotations

from lossmon.types import Doubt

MEANINGS: tuple[tuple[str, str], ...] = (
    ("train_loss", "Train loss"),
    ("eval_loss", "Eval loss"),
    ("eval_higher_is_better", "Eval metric, higher is better"),
    ("eval_lower_is_better", "Eval metric, lower is better"),
    ("train_higher_is_better", "Train metric, higher is better"),
    ("train_lower_is_better", "Train metric, lower is better"),
    ("learning_rate", "Learning rate"),
    ("grad_norm", "Gradient norm"),
    ("just_shown", "None of these: just show it"),
)
"""Each answer with the name that the settings have for it; it always has the same number."""

DOUBTS = {
    Doubt.CALLED_ALIKE: "its name means the same as that of {}",
    Doubt.NO_TOTAL: "one of several losses, of which none is the total",
    Doubt.NO_LOSS: "no loss is known in this run, and it may be one",
    Doubt.VAGUE: "its name does not tell what it is",
}
"""Why a name is asked for."""


def place_of(meaning: str) -> int:
    """Where the answer stands that comes closest to a name of the settings (`eval_score`)."""
    names = [name for name, _ in MEANINGS]
    if meaning in names:
        return names.index(meaning)
    split = "eval" if meaning.startswith("eval") else "train"
    return names.index(f"{split}_higher_is_better")
