"""A tag taken apart into its words and the split that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.format import Dialect
from lossmon.readers.tags.spellings import CHINESE, EVAL_WORDS, SHORTHANDS, TEST_WORDS, TRAIN_WORDS
from lossmon.sanitize import one_line
from lossmon.types import Split

_SEPARATORS = re.compile(r"[\s/_\-.:'()\[\]|,;=]+")
_CAMEL = re.compile(
    r"^((?i:train|training|val|valid|validation|eval|test|dev|loss|acc|accuracy))(?=[A-Z][a-z])"
)
_FUSED = re.compile(
    r"^(train|training|trn|tr|val|va|vl|valid|validation|eval|test|tst|te|ts|dev)"
    r"(loss|acc|accuracy|error|err|ppl|perplexity|f1|auc|score|rmse|mse|mae)$"
)
LOSS_WORD = lazy_pattern(r"^(?:loss(?:es)?|loss[a-z]?\d*|.*[^gf]loss)$")
"""A word that names a loss: `loss`, `losses`, `loss2`, `logloss`; `floss` and `gloss` do not."""


@dataclass(frozen=True, slots=True)
class TagParts:
    """A tag taken apart.

    Attributes:
        tag: As the source spells it.
        words: Its words without those that name the split.
        split: What those said, or what the scope says.
        test: They named a test set.
        said: The tag itself named the split.
        subset: Number behind the split word (`valid_1`), or empty.
        dialect: What is special about the tags of its source.
    """

    tag: str
    words: tuple[str, ...]
    split: Split
    test: bool
    said: bool
    subset: str
    dialect: Dialect

    @property
    def rest(self) -> str:
        """The words joined as the tables join them."""
        return "_".join(self.words)


def words_of(tag: str) -> list[str]:
    """Split a tag into lower-case words: `valLoss`, `val/loss` and `val-loss` are the same."""
    for chinese, english in CHINESE.items():
        tag = tag.replace(chinese, english)
    tag = _CAMEL.sub(r"\1_", tag.replace("'s", " ")).lower()
    words = [word for word in _SEPARATORS.split(tag) if word]
    if words and (fused := _FUSED.match(words[0])):
        split, quantity = fused.groups()
        words[:1] = ("test" if split in ("te", "ts") else split, quantity)
    words[:1] = SHORTHANDS.get(words[0], words[:1]) if words else []
    return _once(words)


def _once(words: list[str]) -> list[str]:
    return [word for i, word in enumerate(words) if i == 0 or word != words[i - 1]]


def split_words(words: list[str]) -> list[str]:
    """Those of the words that name a split."""
    return [word for word in words if word in TRAIN_WORDS or word in EVAL_WORDS]


def taken_apart(tag: str, scope: str, dialect: Dialect) -> TagParts:
    """Separate what a tag measures from the data that it was measured on.

    The last split word decides: `eval/test_loss` is the loss of an eval set called test. A scope
    (`validation`) counts only where the tag itself names no split.
    """
    words = words_of(tag)
    if words[:2] == ["ray", "tune"]:
        del words[:2]
    if words[:2] == ["cv", "agg"]:
        # LightGBM's means over the folds: "cv_agg's valid l2".
        del words[:2]
    if words[:3] == ["train", "validation", "0"]:
        # One of the eval sets of boosted trees is the train set.
        del words[1:3]
    said = split_words(words)
    spoken = said or split_words(words_of(scope))
    subset = ""
    rest: list[str] = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        if word in said:
            continue
        if word.isdigit() and before in EVAL_WORDS and i + 1 < len(words):
            subset = word
        else:
            rest.append(word)
    rest = _once(rest)
    if rest[:1] == ["loss"] and any(LOSS_WORD.match(word) for word in rest[1:]):
        del rest[0]
    held_out = bool(spoken) and spoken[-1] in EVAL_WORDS
    return TagParts(
        tag=tag,
        words=tuple(rest),
        split=Split.EVAL if held_out else Split.TRAIN,
        test=held_out and spoken[-1] in TEST_WORDS,
        said=bool(said),
        subset=subset,
        dialect=dialect,
    )


def spaced(words: Iterable[str]) -> str:
    """The words as a text that can be printed."""
    return one_line(" ".join(words))
