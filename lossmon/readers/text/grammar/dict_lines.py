"""Lines that print a Python dict or a JSON object of metrics."""

from __future__ import annotations

from dataclasses import replace

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.parsed import LinePosition, LineValue, MetricLine, Scale, TextSpan
from lossmon.readers.text.grammar.position import position
from lossmon.readers.text.grammar.prefix import Prefix
from lossmon.readers.text.grammar.words import (
    EVAL_NAME,
    NONFINITE,
    NUMBER,
    RATE,
    is_known,
    is_loss,
)

_PAIR = lazy_pattern(
    r"['\"](?P<group>[^'\"{}\[\]]{1,100})['\"]\s*:\s*\{|(?P<close>\})|"
    r"['\"](?P<key>[^'\"{}\[\]]{1,100})['\"]\s*:\s*"
    r"(?:(?:np\.|jnp\.|torch\.)?b?float\d*\(|tensor\(|[Aa]rray\()?\[?['\"]?"
    rf"(?P<number>{NUMBER}|{NONFINITE})"
    r"['\"]?(?=\s*[\],})])"
)
_FRACTION = lazy_pattern(
    r"['\"](?P<key>epoch|iter|step)['\"]\s*:\s*['\"](?P<number>\d{1,9})/(?P<total>\d{1,9})['\"]"
)
"""A position of pycls and PySlowFast: `"epoch": "3/400"`."""

_PLANNED = lazy_pattern(
    r"['\"]global_step/max_steps['\"]\s*:\s*['\"](?P<number>\d{1,18})/(?P<total>\d{1,18})['\"]"
)
"""The position of ms-swift."""

_SPLIT_HEAD = lazy_pattern(
    r"(?i)(?:^|[\W_])(?:(?P<test>test(?:ing)?)|val(?:id(?:ation)?)?|eval(?:uation)?|dev)"
    r"(?:[ _-](?:set|results?|metrics|scores?|stats|loss(?:es)?))?\W*$"
)
"""The end of what stands before the record of an evaluation: `val: {'loss': 0.5}`."""

_EVALUATED = lazy_pattern(r"['\"]_type['\"]\s*:\s*['\"](?:(?P<test>test)|val)_")
DEEPEST = 4
"""Nested objects that a tag names."""

_STEP_KEYS = (
    "global_step",
    "current_steps",
    "num_updates",
    "trainer/global_step",
    "train/global_step",
    "step",
    "iteration",
    "iter",
    "n_iter",
)
_TOTAL_KEYS = ("total_steps", "max_steps", "total_iters")
_NOT_VALUES = frozenset(
    {"epoch", "update", "seed", "train_runtime", "eval_runtime", "total_flos", "percentage"}
    | {"elapsed_time", "remaining_time", "wall", "train_wall", "timestamp", "_timestamp"}
    | {"_runtime", "time", "data_time", "eta", "eta_seconds", "memory", "mode", "rank"}
    | {*_STEP_KEYS, *_TOTAL_KEYS}
)
_NOT_ENDS = ("_runtime", "_samples_per_second", "_steps_per_second", "_compilation_time")
_NOT_STARTS = ("time/", "timing")
_SETTING = lazy_pattern(
    r"(?i)batch_?size|hidden|num_(?!tokens|input_tokens|updates)|n_layer|n_head|seed|dropout|decay|"
    r"warmup|epochs|^max_|betas?\b|momentum|optimizer|workers|vocab"
)
"""Keys of a printed configuration, which has a learning rate and an epoch, too."""

_BEST_KEY = lazy_pattern(r"(?i)(?:^|[_/ ])best(?:$|[_/ ])")
"""Keys of values that were measured before: `valid_best_loss`."""

_LOSSES = lazy_pattern(r"(?i)\bloss(?:es)?\s*[:=]?\s*$")
"""Stands before the losses of each component of a pipeline, as spaCy's examples print them."""

_ECHO = lazy_pattern(r"\S+:\d+ >> $")


def pairs(line: str, before: Prefix, brace: int) -> MetricLine | None:
    """Take a line apart that prints a dict, or return None if it holds no metrics.

    Args:
        before: What stands before its message.
        brace: Where the first brace stands.
    """
    found: dict[str, TextSpan] = {}
    quoted: set[str] = set()
    groups: list[str] = []
    for pair in _PAIR.finditer(line, brace):
        if pair["close"]:
            groups = groups[:-1]
        elif pair["group"]:
            groups = [*groups, pair["group"].strip()][-DEEPEST:]
        else:
            key = "/".join([*groups, pair["key"].strip()])
            found.setdefault(key, pair.span("number"))
            if line[pair.end("number")] in "'\"":
                quoted.add(key)
    if _LOSSES.search(line, before.end, brace):
        found = {key if is_loss(key) else f"{key}_loss": span for key, span in found.items()}
    if not any(is_known(key) or is_loss(key) for key in found):
        return None
    if "loss" not in found and any(_SETTING.search(key) for key in found):
        return None
    summary = "train_loss" in found and "train_samples_per_second" in found
    evaluated = _EVALUATED.search(line, brace)
    headed = evaluated or _SPLIT_HEAD.search(line[before.end : brace])
    split = "" if headed is None else "test" if headed["test"] else "eval"
    place = _fractions(line, brace, split) or _place(line, before, brace, found)
    mean = place.scale is Scale.EPOCH and place.epochs is not None and not split
    epoch = found.get("epoch")
    fractional = epoch is not None and ("." in line[slice(*epoch)] or "epoch" in quoted)
    if place.scale is Scale.NONE and not any(is_loss(key) for key in found):
        return None
    values = tuple(
        LineValue(
            key
            if RATE.match(key) or EVAL_NAME.search(key)
            else f"{split}/{key}"
            if split
            else f"{key}_epoch"
            if mean
            else key,
            span,
        )
        for key, span in found.items()
        if (summary and key != "epoch")
        or (
            key not in _NOT_VALUES
            and not key.endswith(_NOT_ENDS)
            and not key.startswith(_NOT_STARTS)
            and _BEST_KEY.search(key) is None
        )
    )
    return MetricLine(
        values,
        place,
        before.rank,
        before.time,
        trainer=place.step is None and fractional,
        quoted="epoch" in quoted,
        echo=_ECHO.search(line, 0, brace) is not None,
        summary=summary,
        last_only=evaluated is not None and place.step is not None,
        mean=mean,
        split=split,
    )


def with_head(record: MetricLine, head: MetricLine | None) -> MetricLine:
    """A record in braces, and the values in front of it: `loss: 0.5, map: {'map@20': 0.3}`."""
    if head is None or not head.values:
        return record
    values = (*head.values, *record.values)
    return replace(record, values=values, split=record.split or head.split)


def _fractions(line: str, brace: int, split: str) -> LinePosition | None:
    """The position in `"epoch": "3/400", "iter": "10/50"`; None if there is none."""
    found = {one["key"]: one for one in _FRACTION.finditer(line, brace)}
    epoch = found.pop("epoch", None)
    if epoch is None:
        return None
    step = next(iter(found.values()), None)
    scale = Scale.EPOCH if step is None else Scale.NONE if split else Scale.WITHIN
    return LinePosition(
        scale,
        step.span("number") if step else None,
        step.span("total") if step else None,
        epoch.span("number"),
        epoch.span("total"),
        split=split,
    )


def _place(line: str, before: Prefix, brace: int, found: dict[str, TextSpan]) -> LinePosition:
    step = next((found[key] for key in _STEP_KEYS if key in found), None)
    total = next((found[key] for key in _TOTAL_KEYS if key in found), None)
    epoch = found.get("epoch")
    if planned := _PLANNED.search(line, brace):
        return LinePosition(Scale.STEP, planned.span("number"), planned.span("total"), epoch)
    if step is not None:
        return LinePosition(Scale.STEP, step, total, epoch)
    if epoch is not None:
        return LinePosition(Scale.EPOCH, None, total, epoch)
    head = line[:brace]
    return position(head, before.end) if head.strip() else LinePosition()
