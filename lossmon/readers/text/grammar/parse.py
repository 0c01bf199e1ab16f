"""One line of free text: which numbers in it are metrics, and where in the training it stands.

The rule of the house: a false metric is worse than a missed line. A number is taken only with a
name in front (or a rate unit behind), only if that name can be a metric, and only in a line that
says a position or names a loss.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.dialects import dialect_line
from lossmon.readers.text.grammar.dict_lines import pairs, with_head
from lossmon.readers.text.grammar.parsed import LinePosition, LineValue, MetricLine, Scale
from lossmon.readers.text.grammar.position import position
from lossmon.readers.text.grammar.prefix import Prefix, prefix
from lossmon.readers.text.grammar.table_heads import columns, unlabelled
from lossmon.readers.text.grammar.values import measures_only, values_of
from lossmon.readers.text.grammar.words import (
    EVAL_NAME,
    LONE_SPLIT,
    LOSS_END,
    NUMBER,
    RATE,
    SAYS_SPLIT,
    is_known,
    is_loss,
    masked,
)

LONGEST = 16_384
"""Characters of a line that may hold metrics: verl's longest real lines are about 8,000."""


MOST = 256
"""Values taken from one line; no framework prints more."""


_REJECT = re.compile(
    r"(?x)\s*(?:Traceback\b|File\ \"|wandb:|swanlab:|\w*(?:Warning|Error|Exception)\b|time\ \(ms\)|"
    r"Namespace\(|(?:arguments|Arguments|Config|config|args)\b\s*[:=(]|Overriding:|usage:|\+\s|\$\s|"
    r"(?:def|import|from|class|return|if|elif|for|while|with|assert|raise|print\w*|parser)\b|//|@|"
    r"\#(?!\ \w+:\ \d+\.\d+\tBest:\ )|"
    r"Trial\ \d|v3\ \(|Region\ \d|Averaged\ stats:|\w+\.\w+\(|\(.{0,40}\):\ \w+\(|"
    r"(?i:sav(?:e|ing)\b(?!\ dict\ for\ global)|saved|loading|loaded|resum|restor|best\b|"
    r"early\ ?stop|download|reading|writing|hyperparam|setting|the\ |initializ|start\ training|"
    r"stopping|bad\ epochs|reducing|adjusting|sanity\ check|no\ improvement|expected|usage))"
)
_CODE = lazy_pattern(
    r"(?!Test net output #\d)(?:"
    r"(?!\w+ =(?: {1,2}\S+ ?, +\w+ += | {2}-?\d+\.\d{2,}(?:e[+-]?\d+)?[ ,;|]*$))"
    r"\s*(?:self\.)?[A-Za-z_]\w*\s+=\s|\s*[A-Za-z_]\w*=\S+$|.*(?:[{};(]|[^%\d]\))\s*$"
    r"|\s*['\"]\w+['\"]\s*:)"
)
_UNSURE = lazy_pattern(
    r"(?i)\b(?:best|sav(?:ed|ing)|improv\w+|restor\w+|load\w*|resum\w+|expect\w*|threshold|target|"
    r"reached|from|should|would|if|than|will|because|start\w*|initial\w*|ckpt|default|final)\b"
)
_SETTINGS = lazy_pattern(r"[=:]\s*(?:True|False|None|null|true|false)\b")
_PROSE = lazy_pattern(r"(?<![\w'])(?:[A-Za-z']{1,16} ){7}|`[^`]{0,200}`")
"""Seven words in a row, or quoted code: a sentence about training and not a record of it."""

_COUNTER = lazy_pattern(r"(?<![\w.])\d+it \[")
"""A tqdm bar that does not know its end."""

_STARRED = lazy_pattern(
    r"(?i)\s*\* +(?:Finished epoch # ?\d+ +)?(?:Acc|Prec|Top|Err|mAP|IoU|Val)\w*@?\d* *[:=]? *\d"
    r"|\s*# \w+: \d+\.\d+\tBest: "
)
_ASSIGNED = lazy_pattern(r"(?i)epoch\s+=|per epoch")
_FAIRSEQ = lazy_pattern(r"\| train \| $")
"""fairseq's name of the logger that sums up an epoch; `train_inner` logs its steps."""

_LONE_STEP = lazy_pattern(r"\[step=\d+(?:/\d+)?(?:,[^\[\]]{0,80})?\]\s*$")
"""OLMo heads each block of metrics with nothing but its place."""

_REASONING = lazy_pattern(
    r"\W*(?:(?<=\*\*)step +\d+\b|step +\d+\W{0,3}[:.)]\W{0,3} "
    r"(?!train|eval|val|test|start|begin|end|finish|sav|log|load|checkpoint)[a-z']+ +[a-z'\\$(])",
    re.IGNORECASE,
)
"""A step of an answer that a model wrote, in a log that prints them: `Step 1: Add the apples`."""

_BOXED = ("│", "┃", "║")
"""Begins a row of a box, in which launchers sum up what their trials have done."""

_BATCH_SIZE = lazy_pattern(r"(?i)(?<![a-z])(?:batch|ba)\s*[:=]\s*$")
"""Stands before a number that is a counter in a record and a setting elsewhere: `batch=32`."""

_FAR_IN = lazy_pattern(r"\s{20,}(?!\s*\{)")
_CUT = lazy_pattern(r"\{['\"][^{}]*$")
_BEST = lazy_pattern(rf"\tbest: (?P<value>{NUMBER}) \(\d+\)")
"""Column of CatBoost with the best value so far and its round."""

_EVAL_LINE = lazy_pattern(
    r"(?i)\W{0,4}(?:(?P<test>test(?:ing)?)|eval(?:uat(?:ion|e|ing))?|val(?:id(?:at(?:ion|e|ing))?)?|dev)"
    r"(?![\w=/]|\s*[a-z ]*loss\s*[:=]?\s*\d)"
    r"|.{0,60}\b(?:phase|split|mode|stage|subset)(?:\s*[=:]\s*|\s)['\"]?"
    r"(?:val(?:id(?:ation)?)?|eval(?:uation)?|dev|(?P<tested>test))\b"
    r"|.{0,40}\bvalid on\b|Saving dict for global step"
    r"|.{0,120}\b(?:val(?:id(?:ation)?)?|eval(?:uation)?|dev|(?P<headed>test)) metrics:\s*$"
)
_TRAIN_LINE = lazy_pattern(r"(?i)\W{0,4}train(?:ing)?(?: set| results?| metrics)?\s*[:|-]\s")
_BRACKETED = lazy_pattern(rf"%?[ \t]{{0,4}}\([ \t]{{0,8}}(?P<mean>{NUMBER})%?[ \t]{{0,4}}\)")
"""The mean so far behind a batch's own value, as an `AverageMeter` prints it: `0.5 (0.7)`."""

_HEADING = lazy_pattern(
    r"(?i)\W*(?:running |starting |start |begin )?"
    r"(?:(?P<train>train(?:ing)?)|(?P<test>test(?:ing)?)|val(?:id(?:ation|at(?:e|ing))?)?|eval(?:uat(?:ion|e|ing))?|dev)"
    r"(?:[ _-]?(?:errors?|set|loop|phase|results?|metrics|scores?|performance|summary|model))*\W*"
)
"""A line that says no more than which data the next ones are about."""

_STALE = lazy_pattern(
    r"Training epoch \d+, iteration \d+/\d+ \|"
    r"|Epoch \d+ \| iter \d+ step \d+ \| loss train: "
)
"""Lines that repeat the newest val loss: torchtune's and LitGPT's."""

_BARRED = lazy_pattern(r"(?<=[A-Za-z]) \|(?=  -?\d+\.\d+\s*$)")
"""The bar in front of the number that a line ends with: `Step 100: eval  Accuracy |  0.5`."""

_MEAN = lazy_pattern(
    r"(?i)\W*(?:train(?:ing)?\W+)?summary\b|\W*epoch\W+\d+\W+(?:done|end|finish|summary|complete|"
    r"average|avg|mean|total|training cost)|.{0,4}end of epoch|\W*\d+epoch results\b"
    r"|\W*train\W+epoch\W+\d+(?:/\d+)?\W+avg\b|.{0,60}\]\[avg\]"
    r"|\|? ?epoch \d+ \| loss [\d.]+ \| nll_loss "
)
_SPLIT_WORD = lazy_pattern(
    r"(?i)(?:^|[\W_])(?:train(?:ing)?|val(?:id(?:ation)?)?|eval|test|dev)(?:$|[\W_])"
)
_SPLIT_BEHIND = lazy_pattern(
    r"(?i)[\s|:,)\]-]*(?:(?P<test>test)|val(?:id(?:ation)?)?|eval(?:uation)?|dev)[ _]{1,2}"
    r"(?=[a-z]+(?:[ _][a-z]+)?\s?[:=])(?!.*\btrain)"
)
_SPOKEN = lazy_pattern(
    r"(?i)(?:(?P<test>test)|val(?:id(?:ation)?)?|eval(?:uation)?|dev) +(?P<what>\S.*)"
)
_REWARD = lazy_pattern(
    r"(?i)(?:mean|average|avg)[ _](?:episode[ _])?(?:reward|return)(?:[ _]score)?"
)
"""A name that is believed even where a line says no step, as that of a loss is."""

_TRAIN_WORD = lazy_pattern(r"(?i)^(?:train(?:ing)?[\s_:-]+)")


def parse(line: str) -> MetricLine | None:
    """Take a line apart, or return None if it says nothing of the training."""
    if len(line) > LONGEST:
        return None
    plain = prefix(line)
    if (spoken := dialect_line(line, plain)) is not None:
        return spoken
    if "{" not in line and _PROSE.search(line):
        return None
    labelled = prefix(line, srun=True)
    if labelled.end != plain.end:
        found = _parse(line, labelled)
        if found is not None and found.position.scale is not Scale.NONE:
            return found
    return _parse(line, plain)


def refusal(line: str, before: Prefix) -> str:
    """Why a line cannot be a record at all, empty if it can."""
    if before.bad:
        return "a warning or an error"
    if _REJECT.match(line, before.end):
        return "a message, not a record"
    if _FAR_IN.match(line):
        return "the rest of a line that was wrapped"
    if _CUT.match(line, before.end):
        return "the beginning of a record"
    return ""


def wordiness(line: str, before: Prefix) -> str:
    """Why a line without a record in braces is none, empty if it may be one."""
    if len(_SETTINGS.findall(line, before.end)) >= 2:
        return "a list of settings"
    if _PROSE.search(line, before.end):
        return "a sentence"
    return ""


def _parse(line: str, before: Prefix) -> MetricLine | None:
    if names := columns(line) or columns(unlabelled(line, before.end)):
        return MetricLine((), LinePosition(), columns=names)
    if refusal(line, before):
        return None
    if heading := _HEADING.fullmatch(line, before.end):
        split = "train" if heading["train"] else "test" if heading["test"] else "eval"
        return MetricLine((), LinePosition(), heading=split)
    brace = line.find("{", before.end)
    if brace >= 0 and "}" in line[brace:]:
        record = pairs(line, before, brace)
        if record is not None:
            return record if record.trainer else with_head(record, _parse(line[:brace], before))
        head = _parse(line[:brace], before)
        if head is not None and head.values:
            return head
    if wordiness(line, before):
        return None
    body = _BARRED.sub(" =", masked(line))
    place = position(body, before.end)
    values = values_of(body, before.end, place)
    return _judged(line, body, before, place, values)


def _judged(
    line: str, body: str, before: Prefix, place: LinePosition, values: list[tuple[LineValue, bool]]
) -> MetricLine | None:
    """Accept the line or not, and give its values the names that say their split."""
    if _is_batch_size(body, place) and not any(is_loss(value.name) for value, _ in values):
        place = LinePosition()
    values = _scored(values)
    pair = _lone_pair(values)
    known = [value for value, _ in values if value in pair or is_known(value.name)]
    if body.startswith("(epoch:", before.end):
        # CycleGAN and pix2pix print their losses without the `loss_` that they begin with.
        values = [(replace(value, name=_as_loss(value.name)), sure) for value, sure in values]
        known = [value for value, sure in values if sure]
    if place.scale is Scale.ROUND:
        known = [value for value, sure in values if sure]
    bar = "%||" in body or _COUNTER.search(body) is not None
    starred = bool(_STARRED.match(line) or _STARRED.match(line, before.end))
    adjacent = False
    if place.scale is Scale.NONE and not place.split:
        message = line[before.end :]
        adjacent = not _believable(message, values, starred)
        if adjacent and (_UNSURE.search(message) or _CODE.match(message)):
            return None
        if adjacent and not measures_only(message, values):
            return None
    elif not known:
        return _header(line, before, place, bar)
    split = place.split or _line_split(body, before.end) or _split_behind(body, place)
    split = split or ("eval" if starred else "") or _spoken_split(values)
    if bar and split:
        place = replace(place, scale=Scale.NONE)
    best = _BEST.search(line, before.end) if place.scale is Scale.ROUND else None
    mean = bool(_MEAN.match(body, before.end) or _FAIRSEQ.search(line, 0, before.end))
    averaged = bool(split) and place.total is not None and not bar
    if averaged:
        means = [(_mean_of(body, value), sure) for value, sure in values]
        averaged = means != values
        pair = [_mean_of(body, value) for value in pair]
        values = means
    return MetricLine(
        tuple(
            _named(value, "" if value in pair or _is_train(value, values) else split, mean)
            for value, sure in values[:MOST]
            if sure or _says_what(value, pair)
        ),
        place,
        before.rank,
        before.time,
        last_only=not bar
        and place.step is not None
        and (place.scale is Scale.NONE or bool(place.split)),
        stale=_STALE.match(body, before.end) is not None,
        mean=mean,
        bar=bar,
        split=split,
        best=best.span("value") if best else None,
        averaged=averaged,
        adjacent=adjacent,
    )


def _mean_of(body: str, value: LineValue) -> LineValue:
    """The mean over an evaluation's batches where it stands behind the newest one's value."""
    found = _BRACKETED.match(body, value.span[1])
    return LineValue(value.name, found.span("mean"), value.scale) if found else value


def _is_batch_size(body: str, place: LinePosition) -> bool:
    """Whether a position may be a setting: a batch without a total and without an epoch."""
    if place.step is None or place.total is not None or place.epoch is not None:
        return False
    return _BATCH_SIZE.search(body, 0, place.step[0]) is not None


def _lone_pair(values: list[tuple[LineValue, bool]]) -> list[LineValue]:
    """The losses of `train 0.53 | val 0.61`: a split each, and no loss that says its name."""
    if any(is_loss(value.name) for value, _ in values):
        return []
    lone = [(value, split) for value, _ in values if (split := LONE_SPLIT.fullmatch(value.name))]
    trains = sum(split["train"] is not None for _, split in lone)
    return [value for value, _ in lone] if trains == 1 and len(lone) > 1 else []


def _scored(values: list[tuple[LineValue, bool]]) -> list[tuple[LineValue, bool]]:
    """The splits of `loss: 0.53, train: 0.81, val: 0.79` named scores: the loss is said apart."""
    lone = [value for value, sure in values if sure and LONE_SPLIT.fullmatch(value.name)]
    if len(lone) < 2 or not any(is_loss(value.name) for value, _ in values):
        return values
    return [
        (replace(value, name=f"{value.name}/score") if value in lone else value, sure)
        for value, sure in values
    ]


def _spoken_split(values: list[tuple[LineValue, bool]]) -> str:
    """The split that `val Loss: 0.5 Acc: 0.8` begins with, which holds for the rest of the line."""
    names = [value.name for value, _ in values]
    spoken = _SPOKEN.match(names[0]) if names else None
    if spoken is None or any(SAYS_SPLIT.search(name) for name in names[1:]):
        return ""
    if any(is_loss(name) or name.lower() == spoken["what"].lower() for name in names[1:]):
        return ""
    return "test" if spoken["test"] else "eval"


def _says_what(value: LineValue, pair: list[LineValue]) -> bool:
    """Whether a name without `:` or `=` tells what was measured: a split alone does not."""
    return value in pair or not LONE_SPLIT.fullmatch(value.name)


def _header(line: str, before: Prefix, place: LinePosition, bar: bool) -> MetricLine | None:
    """A line that gives the lines below it their position."""
    if bar or place.scale is Scale.NONE:
        return None
    if not place.leading and not _LONE_STEP.search(line):
        return None
    if _ASSIGNED.search(line) or _REASONING.match(line, before.end):
        return None
    heading = _line_split(line, before.end)
    return MetricLine((), place, before.rank, before.time, heading=heading)


def _believable(message: str, values: list[tuple[LineValue, bool]], starred: bool) -> bool:
    """Whether a line without a position is a metric line all the same."""
    if not values or (_UNSURE.search(message) and not starred) or _CODE.match(message):
        return False
    if message.lstrip()[:1] in _BOXED:
        return False
    if any(_is_sure_loss(value.name, sure) for value, sure in values):
        return True
    if len(values) > 1 and all(sure and is_loss(value.name) for value, sure in values):
        return True
    if any(sure and _REWARD.fullmatch(value.name) for value, sure in values):
        return True
    if _TRAIN_LINE.match(message) and any(is_loss(value.name) for value, _ in values):
        return True
    evaluated = starred or _EVAL_LINE.match(message) is not None
    return evaluated and any(is_known(value.name) for value, _ in values)


def _as_loss(name: str) -> str:
    return name if is_loss(name) else f"loss_{name}"


def _is_sure_loss(name: str, parted: bool) -> bool:
    split = _SPLIT_WORD.search(name) is not None
    return is_loss(name) and (split or (parted and LOSS_END.search(name) is not None))


def _line_split(body: str, start: int) -> str:
    found = _EVAL_LINE.match(body, start)
    if found is None:
        return ""
    return "test" if found["test"] or found["tested"] or found["headed"] else "eval"


def _split_behind(body: str, place: LinePosition) -> str:
    """The split in `epoch 3 val loss: 0.5 acc: 0.8`, which holds for the whole line."""
    at = max((right for _, right in place.taken), default=-1)
    found = _SPLIT_BEHIND.match(body, at) if at >= 0 else None
    return "" if found is None else "test" if found["test"] else "eval"


def _is_train(value: LineValue, values: list[tuple[LineValue, bool]]) -> bool:
    """Whether a value says that it is of the train set, in a line that has eval values too."""
    return _TRAIN_WORD.match(value.name) is not None and any(
        EVAL_NAME.search(other.name) for other, _ in values
    )


def _named(value: LineValue, split: str, mean: bool) -> LineValue:
    name = value.name
    if split and not EVAL_NAME.search(name) and not RATE.match(name):
        name = f"{split}/{_TRAIN_WORD.sub('', name)}"
    elif mean and not EVAL_NAME.search(name) and not RATE.match(name):
        name = f"{name}_epoch"
    return LineValue(name, value.span, value.scale)
