"""Meaning of a raw tag: one place where the spellings of all frameworks meet."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.registry import dialect
from lossmon.readers.tags.spellings import (
    BETTER_HIGH,
    BETTER_LOW,
    BOOSTING_LOSSES,
    COUNTED_LOSSES,
    DETECTION_WORDS,
    OTHER_WORDS,
    SETTING_WORDS,
    SPELLINGS,
    Quantity,
)
from lossmon.readers.tags.words import (
    LOSS_WORD,
    TagParts,
    spaced,
    split_words,
    taken_apart,
    words_of,
)
from lossmon.sanitize import one_line
from lossmon.types import JUST_SHOWN, METRIC_WORDS, Kind, Meaning, MetricNames, Split

LONGEST = 200
"""Most characters of a tag that is a name: the longest real ones (layer paths of deep
models) stay under it."""

_DIRECTIONS = {
    "eval_higher_is_better": (Split.EVAL, False),
    "eval_lower_is_better": (Split.EVAL, True),
    "train_higher_is_better": (Split.TRAIN, False),
    "train_lower_is_better": (Split.TRAIN, True),
}

_RATE_OF = lazy_pattern(
    r"(?:^|_)(token|tok|sample|example|image|img|frame|word|step|iter|iteration|it|batch|episode)"
    r"(?:s|es)?_(?:per_)?(?:s|sec|second)(?:_|$)"
)
_UNITS = {"token": "tok/s", "tok": "tok/s", "it": "steps/s", "iter": "steps/s", "img": "images/s"}
_OPTIMIZERS = lazy_pattern(
    r"^(?:\w*adam\w*|\w*adafactor|sgd|lion\d*\w*|lamb|lars|muon|rmsprop|adagrad|adadelta|sophia\w*|"
    r"shampoo|soap|lbfgs|asgd|rprop|prodigy)$"
)
_GRADIENT_WORDS = frozenset({"grad", "grads", "gradient", "gradients", "gradnorm", "gnorm"})
_NORM_WORDS = _GRADIENT_WORDS | {"norm", "global", "total", "optim"}
_RATE_WORDS = frozenset({"lr", "learning", "rate", "optim", "optimizer"})
_MEANS = frozenset({"avg", "average", "mean"})
_SPREADS = frozenset({"std", "var", "variance", "min", "max"})
_BASES = frozenset(
    {"loss", "logloss", "cross_entropy", "accuracy", "token_accuracy", "perplexity"}
    | {"reward", "top1", "top5"}
)
"""Quantities that a name before them makes a part: `easy_accuracy`."""
_ENDINGS = tuple(
    (tuple(spelling.split("_")), quantity)
    for spelling, quantity in SPELLINGS.items()
    if quantity.name in _BASES
)


def meaning(
    tag: str,
    *,
    scope: str = "",
    source: str = "",
    overrides: MetricNames | None = None,
) -> Meaning:
    """Tell what a raw tag stands for, whatever framework spelled it.

    Args:
        tag: Name of the series as the source spells it.
        scope: Sub-run it comes from (`validation`), or rank, or empty.
        source: Name of the format family, where a spelling means two things.
        overrides: The user's names: canonical name with `_` (`train_loss`), or one of
            `METRIC_WORDS` → raw tag, or several.
    """
    natural = _meaning(tag, scope, source)
    whole = f"{scope}/{tag}" if scope else tag
    for name, chosen in (overrides or {}).items():
        tags = (chosen,) if isinstance(chosen, str) else chosen
        if tag in tags or whole in tags:
            return _sorted(natural, name, whole) if name in METRIC_WORDS else _meaning(name, "", "")
        wanted = _meaning(name, "", "")
        if name not in METRIC_WORDS and natural.key == wanted.key:
            natural = replace(natural, key=f"{natural.key} ({tag})", part=tag, secondary=True)
    return natural


def _sorted(natural: Meaning, word: str, tag: str) -> Meaning:
    """A series under its own name, of the sort that the user says."""
    label = one_line(tag[:LONGEST])
    # Its key is its own: under `loss` stands what it is not.
    if word == JUST_SHOWN:
        return Meaning(f"{natural.split}/{tag} (shown)", label, natural.split)
    split, lower = _DIRECTIONS[word]
    return Meaning(f"{split}/{tag} (metric)", label, split, Kind.METRIC, lower_is_better=lower)


@lru_cache(maxsize=8192)
def _meaning(tag: str, scope: str, source: str) -> Meaning:
    if len(tag) > LONGEST:
        return Meaning(tag, one_line(tag[:LONGEST]))
    name = taken_apart(tag, scope, dialect(source))
    known = _surroundings(tag) or _summary(name) or _exact(name) or _family(name)
    if scope and not split_words(words_of(scope)):
        rank = scope.startswith("rank")
        part = f"{known.part} {scope}".strip()
        label = f"{known.label} ({one_line(scope)})"
        key = f"{known.key}@{scope}"
        return replace(known, key=key, label=label, part=part, secondary=rank or known.secondary)
    return known


def _surroundings(tag: str) -> Meaning | None:
    """Hardware and bookkeeping of the trackers: never a metric of the training."""
    if tag.startswith("_") and tag != "_step":
        return Meaning(tag, one_line(tag).strip("_"))
    if tag.lower().startswith(("system/", "system.", "gpu.", "hparam/", "sys/")):
        return Meaning(tag, one_line(tag), summary=tag.lower().startswith("hparam/"))
    return None


def _summary(name: TagParts) -> Meaning | None:
    """The closing record of HF's Trainer, which describes the run and is not a point of a curve."""
    tag = name.tag.lower()
    twice = tag.startswith(("train/train_", "single_value/train_"))
    bare = tag.startswith("train_") and name.dialect.closing_record
    if name.rest.removeprefix("single_value_") == "loss" and name.dialect.closing_record:
        if twice or (tag == "train_loss" and name.dialect.closing_loss):
            return Meaning(
                "train/loss_mean", "mean train loss", kind=Kind.LOSS, lower_is_better=True,
                secondary=True, summary=True,
            )  # fmt: skip
    elif (twice or bare) and name.rest.endswith(("samples_per_second", "steps_per_second")):
        return Meaning(f"train/{name.rest}_mean", f"mean {spaced(name.words)}", summary=True)
    return None


HEADS = {"m": "mask", "p": "pose"}
"""Heads of an Ultralytics model beside that for boxes, whose metrics have the same names:
`metrics/mAP50(M)` beside `metrics/mAP50(B)`."""


def _exact(name: TagParts) -> Meaning | None:
    """A spelling of the table, perhaps with `_epoch`, `_step` or a mean around it."""
    if not name.words and name.said:
        return _lone_split(name)
    words = name.words[1:] if name.words[:1] in (("metrics",), ("metric",)) else name.words
    if name.words[:1] == ("metrics",) and (head := HEADS.get(words[-1])):
        of_boxes = SPELLINGS.get("_".join((*name.words[:-1], "b")))
        if of_boxes is not None:
            return _measured(name, of_boxes, head)
    for spelling in (name.rest, "_".join(words)):
        if quantity := SPELLINGS.get(name.dialect.aliases.get(spelling, spelling)):
            return _measured(name, _boosted(name, quantity))
    if len(words) < 2:
        return _boosting(name)
    if words[-2:] == ("vs", "iterations"):
        return _modified(name, words[:-2], "vs_iterations", secondary=True)
    if len(words) > 3 and words[-3:-1] == ("dataloader", "idx"):
        return _modified(replace(name, subset=words[-1]), words[:-3], "")
    if words[-1] in {"step", "epoch"}:
        repeat = "epoch" if name.split is Split.TRAIN else "step"
        return _modified(name, words[:-1], words[-1], secondary=words[-1] == repeat)
    if words[0] in _MEANS or words[-1] in _MEANS:
        bare = words[1:] if words[0] in _MEANS else words[:-1]
        return _modified(name, bare, "mean", secondary=name.split is Split.TRAIN)
    return _boosting(name)


def _lone_split(name: TagParts) -> Meaning:
    """`train` and `test` alone are losses by convention; llm.c's `eval` is a score.

    In a text log it is whatever the trees minimise (CatBoost prints the AUC so), hence no equal
    of a loss that says its name.
    """
    if name.tag.lower() == "eval" and name.dialect.bare_splits:
        return _measured(name, Quantity("score", "score", Kind.METRIC, False, by_split=True))
    if name.dialect.bare_splits:
        return _measured(name, SPELLINGS["objective"])
    return _measured(name, SPELLINGS["loss"])


def _modified(
    name: TagParts, words: tuple[str, ...], suffix: str, *, secondary: bool = False
) -> Meaning | None:
    quantity = SPELLINGS.get("_".join(words))
    if quantity is not None and quantity.by_split:
        base = _measured(name, quantity)
    elif quantity is None and suffix in {"step", "epoch"}:
        base = _family(replace(name, words=words))
        if base.kind not in (Kind.LOSS, Kind.METRIC):
            return None
    else:
        return None
    if not secondary:
        return base
    key = f"{base.key}_{suffix}"
    words_for = {"mean": "mean", "vs_iterations": "by iteration"}
    label = f"{base.label} ({words_for.get(suffix, f'per {suffix}')})"
    return replace(base, key=key, label=label, secondary=True)


def _boosting(name: TagParts) -> Meaning | None:
    """`train-rmse` of XGBoost and `training's l2` of LightGBM are what the trees minimise."""
    dashed = re.match(r"^(?:train/)?[a-z]+(?:_\d+)?-\S+$", name.tag) or "'s " in name.tag
    if name.rest not in BOOSTING_LOSSES or not (name.dialect.boosting or (dashed and name.said)):
        return None
    quantity = Quantity(
        name.rest,
        spaced(name.words),
        Kind.LOSS,
        True,
        by_split=True,
        # A share of wrong answers moves in steps, and nobody descends along it.
        secondary=name.rest in COUNTED_LOSSES,
    )
    return _measured(name, quantity)


def _boosted(name: TagParts, quantity: Quantity) -> Quantity:
    if name.dialect.boosting and name.rest in BOOSTING_LOSSES:
        return replace(quantity, kind=Kind.LOSS, lower_is_better=True, secondary=False)
    return quantity


def _measured(name: TagParts, quantity: Quantity, part: str = "") -> Meaning:
    """The meaning of a known quantity on the split that the name tells."""
    held_out = name.split is Split.EVAL or quantity.evaluated
    where = "test" if name.test else "eval" if held_out else "train"
    if not quantity.by_split:
        return _of_the_run(quantity, where)
    parts = [word for word in ("test" if name.test else "", name.subset, part) if word]
    key = "_".join(word for word in (name.subset, part.replace(" ", "_"), quantity.name) if word)
    label = " ".join(word for word in (where, name.subset, part, quantity.label) if word)
    return Meaning(
        f"{where}/{key}",
        label,
        Split.EVAL if held_out else Split.TRAIN,
        quantity.kind,
        " ".join(parts),
        quantity.lower_is_better,
        quantity.unit,
        quantity.secondary,
        quantity.summary,
    )


def _of_the_run(quantity: Quantity, where: str) -> Meaning:
    """A quantity that is not measured per split; around an evaluation it says nothing of it."""
    if where != "train" and quantity.name not in {"epoch", "step"}:
        name = quantity.name.removeprefix("train_")
        return Meaning(f"{where}/{name}", f"{where} {spaced(name.split('_'))}", Split.EVAL)
    return Meaning(
        quantity.name,
        quantity.label,
        kind=quantity.kind,
        lower_is_better=quantity.lower_is_better,
        unit=quantity.unit,
        secondary=quantity.secondary,
        summary=quantity.summary,
    )


def _family(name: TagParts) -> Meaning:
    """A name that is not in the table, judged by its words."""
    words = set(name.words)
    losses = [word for word in name.words if LOSS_WORD.match(word)]
    gradient = words & _GRADIENT_WORDS
    rate = "lr" in words or {"learning", "rate"} <= words
    if (losses or rate or gradient) and words & (SETTING_WORDS | _SPREADS):
        return _other(name)
    if losses:
        return _component(name)
    if rate:
        return _rate_group(name)
    if gradient and words & {"norm", "gradnorm", "gnorm"}:
        part = spaced(word for word in name.words if word not in _NORM_WORDS)
        key = f"grad_norm/{part.replace(' ', '_')}"
        return Meaning(key, f"gradient norm {part}", kind=Kind.GRAD_NORM, part=part)
    if "time" not in words and (speed := _RATE_OF.search(name.rest)):
        return _speed(name, speed[1])
    return _metric(name)


def _component(name: TagParts) -> Meaning:
    """One term of a loss, or the loss of one of several eval sets."""
    return _part(name, Kind.LOSS, True, ("loss", "losses"))


def _part(name: TagParts, kind: Kind, lower: bool | None, generic: tuple[str, ...]) -> Meaning:
    where = "test" if name.test else name.split.value
    part = spaced(word for word in name.words if word not in generic)
    parts = " ".join(word for word in ("test" if name.test else "", name.subset, part) if word)
    key = "_".join(word for word in (name.subset, name.rest) if word)
    label = " ".join(word for word in (where, name.subset, spaced(name.words)) if word)
    return Meaning(f"{where}/{key}", label, name.split, kind, parts, lower)


def _rate_group(name: TagParts) -> Meaning:
    words = [word for word in name.words if word not in _RATE_WORDS]
    part = spaced(word for word in words if not _OPTIMIZERS.match(word))
    optimizers = spaced(word for word in words if _OPTIMIZERS.match(word))
    if not part:
        return Meaning("learning_rate", "learning rate", kind=Kind.LEARNING_RATE)
    whole = f"{optimizers} {part}".strip()
    key = f"learning_rate/{whole.replace(' ', '_')}"
    return Meaning(key, f"learning rate {whole}", kind=Kind.LEARNING_RATE, part=whole)


def _speed(name: TagParts, noun: str) -> Meaning:
    if name.split is Split.EVAL:
        return _other(name)
    unit = _UNITS.get(noun, f"{noun}{'es' if noun == 'batch' else 's'}/s")
    return Meaning(name.rest, spaced(name.words), Split.TRAIN, Kind.THROUGHPUT, "", False, unit)


def _metric(name: TagParts) -> Meaning:
    words = set(name.words)
    high = bool(words & BETTER_HIGH) or any(w.startswith(("acc@", "pass@")) for w in words)
    low = bool(words & BETTER_LOW)
    high = high or name.rest in BETTER_HIGH
    if not (high or low) or words & OTHER_WORDS:
        return _other(name)
    spread = words & _SPREADS and name.rest not in BETTER_HIGH
    if words & (SETTING_WORDS - _SPREADS) and not spread:
        return _other(name)
    if words & DETECTION_WORDS and not name.said:
        name = replace(name, split=Split.EVAL)
    lower = None if spread or high == low else low
    for base, quantity in _ENDINGS:
        if len(base) < len(name.words) and name.words[-len(base) :] == base:
            part = spaced(name.words[: -len(base)])
            return replace(_measured(name, quantity, part), lower_is_better=lower)
    return replace(_part(name, Kind.METRIC, lower, tuple(words)), part=name.subset)


def _other(name: TagParts) -> Meaning:
    where = "test" if name.test else name.split.value
    if not name.words:
        return Meaning(name.tag, one_line(name.tag), name.split)
    key = "_".join(word for word in (name.subset, name.rest) if word)
    label = spaced(name.words)
    return Meaning(f"{where}/{key}", f"{where} {label}" if name.said else label, name.split)
