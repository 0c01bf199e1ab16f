"""One line of free text: which numbers in it are metrics, and where in the training it stands.

The rule of the house: a false metric is worse than a missed line. A number is taken only with a
name in front (or a rate unit behind), only if that name can be a metric, and only in a line that
says a position or names a loss.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lossmon.readers.dictlines import pairs
from lossmon.readers.parsed import Parsed, Position, Scale, Span, Value
from lossmon.readers.text_heads import columns
from lossmon.readers.text_position import position
from lossmon.readers.text_prefix import Prefix, prefix
from lossmon.readers.text_words import (
    EVAL_NAME,
    LOSS_END,
    SPACED_LAST,
    TOKEN,
    UNIT,
    is_known,
    is_loss,
    is_metric,
)

LONGEST = 16_384
"""Characters of a line that may hold metrics: verl's longest real lines are about 8,000."""

REACH = 160
"""Characters in front of a number in which its name is looked for."""

MOST = 256
"""Values taken from one line; no framework prints more."""


_REJECT = re.compile(
    r"(?x)\s*(?:Traceback\b|File\ \"|wandb:|swanlab:|\w*(?:Warning|Error|Exception)\b|time\ \(ms\)|"
    r"Namespace\(|(?:arguments|Arguments|Config|config|args)\b\s*[:=(]|Overriding:|usage:|\+\s|\$\s|"
    r"(?:def|import|from|class|return|if|elif|for|while|with|assert|raise|print\w*|parser)\b|\#|//|@|"
    r"Trial\ \d|\w+\.\w+\(|\(.{0,40}\):\ \w+\(|"
    r"(?i:saving|saved|loading|loaded|resum|restor|best\b|early\ ?stop|download|reading|writing|"
    r"hyperparam|setting|the\ |initializ|start\ training|stopping|bad\ epochs|reducing|adjusting|"
    r"sanity\ check|no\ improvement|expected|usage))"
)
_CODE = re.compile(
    r"\s*(?:self\.)?[A-Za-z_]\w*\s+=\s|\s*[A-Za-z_]\w*=\S+$|.*(?:[{};(]|[^%]\))\s*$|\s*['\"]\w+['\"]\s*:"
)
_UNSURE = re.compile(
    r"(?i)\b(?:best|sav(?:ed|ing)|improv\w+|restor\w+|load\w*|resum\w+|expect\w*|threshold|target|"
    r"reached|from|should|would|if|than|will|because|start\w*|initial\w*|ckpt|default|final)\b"
)
_SETTINGS = re.compile(r"[=:]\s*(?:True|False|None|null|true|false)\b")
_PROSE = re.compile(r"(?<![\w'])(?:[A-Za-z']{1,16} ){7}|`[^`]{0,200}`")
"""Seven words in a row, or quoted code: a sentence about training and not a record of it."""

_COUNTER = re.compile(r"(?<![\w.])\d+it \[")
"""A tqdm bar that does not know its end."""

_STARRED = re.compile(r"(?i)\s*\* +(?:Acc|Prec|Top|Err|mAP|IoU|Val)\w*@?\d* *[:=]? *\d")
_ASSIGNED = re.compile(r"(?i)epoch\s+=|per epoch")
_FAR_IN = re.compile(r"\s{20,}(?!\s*\{)")
_MASKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"https?://\S+",
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?",
        r"(?:\d+ days?, )?(?<![\w.])\d{1,3}:\d{2}:\d{2}(?:[.,]\d+)?(?![\w])",
        r"(?<![\w.:%])\d{1,2}:\d{2}(?:\.\d+)?(?=[\s\],)<])(?!\s*\|)",
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])",
        r"(?<![\w.])v?\d+\.\d+\.\d+[\w.+-]*",
        r"(?<![\w)/])[~.]{0,2}/(?:[\w.@=+-]{1,120}/){1,40}[\w.@=+-]{0,200}",
        r"(?<!\w)[A-Z]:\\\S{1,300}",
        r"[\w./=-]{1,200}\.(?:ckpt|pth?|bin|safetensors|json|jsonl|yaml|yml|txt|log|csv|py|h5|keras|"
        r"npz|npy|png|jpg|gz|tar|zip|model|pkl|onnx|gguf)\b",
        r"(?<![\w.])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}(?![\w.])",
        r"(?i:\brank|\bport|\bpid|\bgpu|\bcuda|\bdevice|\bnode|\bseed)[ :=]{1,2}\d+",
    )
)

_SEPARATOR = re.compile(r"\s*(?P<mark>[:=])\s*[\[({'\"]{0,3}(?:tensor\()?$|\s*,\s+$|\s+$")
_DELIMITER = re.compile(r"[|,;\t\[\]{}<>]|\s[-–—•]\s|\s{2,}|:\s|\s-(?=\w)")
_NAME = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w./@%()'+\- ]{0,79}")
_SIZE = re.compile(
    r"\s?(?:[kKMGT]?i?B\b|[mun]s\b|s\b|secs?\b|seconds?\b|min\b|mins\b|minutes?\b|h\b|hrs?\b|hours?\b|"
    r"px\b|W\b|days?\b|epochs?\b|steps?\b|rounds?\b|/\s?\d|x\d)"
)
_SHARE = re.compile(r"\s?/\s?\d+ \((?P<share>\d+(?:\.\d+)?)%\)")
_OPERATORS = ("/", "*", "+", "-", "<", ">", "!", "=")
_FULL_WIDTH = str.maketrans("：，＝（）【】", ":,=()[]")
_THOUSANDS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_EVAL_LINE = re.compile(
    r"(?i)\W{0,4}(?:(?P<test>test)|eval(?:uation)?|val(?:id(?:ation)?)?|dev)"
    r"(?![\w=/]|\s*[a-z ]*loss\s*[:=]?\s*\d)"
    r"|.{0,40}(?:\bphase (?:val|eval)|\bvalid on\b)"
)
_STALE = re.compile(r"Training epoch \d+, iteration \d+/\d+ \|")
_MEAN = re.compile(
    r"(?i)\W*epoch\W+\d+\W+(?:done|end|finish|summary|complete|average|avg|mean|total)"
    r"|.{0,4}end of epoch"
)
_BARE_GAP = re.compile(r"\|\s{0,3}(?P<mark>[:=])\s*$")
_AT_POSITION = re.compile(r"(?P<name>[A-Za-z][\w ]{0,40}?) (?:at|after|for|in|@)(?: the)?\s*$")
_HEADING = re.compile(
    r"(?P<train>train(?:ing)?)|(?P<test>test)|val(?:id(?:ation)?)?|eval(?:uation)?|dev"
)
_SPLIT_WORD = re.compile(
    r"(?i)(?:^|[\W_])(?:train(?:ing)?|val(?:id(?:ation)?)?|eval|test|dev)(?:$|[\W_])"
)
_TRAIN_WORD = re.compile(r"(?i)^(?:train(?:ing)?[\s_:-]+)")


def parse(line: str) -> Parsed | None:
    """Take a line apart, or return None if it says nothing of the training."""
    if len(line) > LONGEST or ("{" not in line and _PROSE.search(line)):
        return None
    plain = prefix(line)
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
    return ""


def wordiness(line: str, before: Prefix) -> str:
    """Why a line without a record in braces is none, empty if it may be one."""
    if len(_SETTINGS.findall(line, before.end)) >= 2:
        return "a list of settings"
    if _PROSE.search(line, before.end):
        return "a sentence"
    return ""


def masked(line: str) -> str:
    """The line with clocks, versions, paths and ids blanked out, of the same length."""
    for mask in _MASKS:
        line = mask.sub(_blank, line)
    return line if line.isascii() else line.translate(_FULL_WIDTH)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _parse(line: str, before: Prefix) -> Parsed | None:
    if names := columns(line):
        return Parsed((), Position(), columns=names)
    if refusal(line, before):
        return None
    brace = line.find("{", before.end)
    if brace >= 0 and "}" in line[brace:]:
        record = pairs(line, before, brace)
        if record is not None:
            return record
    if wordiness(line, before):
        return None
    body = masked(line)
    place = position(body, before.end)
    values = _values(body, before.end, place)
    return _judged(line, body, before, place, values)


def _judged(
    line: str, body: str, before: Prefix, place: Position, values: list[tuple[Value, bool]]
) -> Parsed | None:
    """Accept the line or not, and give its values the names that say their split."""
    known = [value for value, _ in values if is_known(value.name)]
    if place.scale is Scale.ROUND or body.startswith("(epoch:", before.end):
        known = [value for value, sure in values if sure]
    bar = "%||" in body or _COUNTER.search(body) is not None
    starred = False
    if place.scale is Scale.NONE and not place.split:
        message = line[before.end :]
        starred = _STARRED.match(line) is not None
        if not _believable(message, values, starred):
            return None
    elif not known:
        return _header(line, before, place, bar)
    split = place.split or _line_split(body, before.end) or ("eval" if starred else "")
    if bar and split:
        place = replace(place, scale=Scale.NONE)
    mean = _MEAN.match(body, before.end) is not None
    return Parsed(
        tuple(_named(value, split, mean) for value, _ in values[:MOST]),
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
    )


def _header(line: str, before: Prefix, place: Position, bar: bool) -> Parsed | None:
    """A line that gives the lines below it their position."""
    if bar or not place.leading or place.scale is Scale.NONE:
        return None
    if _ASSIGNED.search(line):
        return None
    return Parsed((), place, before.rank, before.time)


def _believable(message: str, values: list[tuple[Value, bool]], starred: bool) -> bool:
    """Whether a line without a position is a metric line all the same."""
    if not values or _UNSURE.search(message) or _CODE.match(message):
        return False
    if any(_is_sure_loss(value.name, sure) for value, sure in values):
        return True
    evaluated = starred or _EVAL_LINE.match(message) is not None
    return evaluated and any(is_known(value.name) for value, _ in values)


def _is_sure_loss(name: str, parted: bool) -> bool:
    split = _SPLIT_WORD.search(name) is not None
    return is_loss(name) and (split or (parted and LOSS_END.search(name) is not None))


def _line_split(body: str, start: int) -> str:
    found = _EVAL_LINE.match(body, start)
    if found is None:
        return ""
    return "test" if found["test"] else "eval"


def _named(value: Value, split: str, mean: bool) -> Value:
    name = value.name
    if split and not EVAL_NAME.search(name):
        name = f"{split}/{_TRAIN_WORD.sub('', name)}"
    elif mean and not EVAL_NAME.search(name) and not name.lower().startswith("lr"):
        name = f"{name}_epoch"
    return Value(name, value.span, value.scale)


def _values(body: str, start: int, place: Position) -> list[tuple[Value, bool]]:
    """Every number with a name that can be a metric, and whether `:` or `=` parts them."""
    original = body
    for left, right in place.taken:
        body = body[:left] + "|" * (right - left) + body[right:]
    found: list[tuple[Value, bool]] = []
    before, section = start, ""
    for number in TOKEN.finditer(body, start):
        at = max(before, number.start() - REACH)
        gap = body[at : number.start()]
        section = _section(gap, section)
        if bare := _BARE_GAP.search(gap):
            gap = _named_before(original, at, place) + bare["mark"]
        value = _value(body, gap, number)
        if value is not None:
            found.append((_in_section(value[0], section), value[1]))
        before = _behind_unit(body, number.end())
    return found


def _section(gap: str, section: str) -> str:
    """The split that a heading inside the line announces: `train: loss=1 val: loss=2`."""
    for part in _DELIMITER.split(gap)[:-1]:
        if heading := _HEADING.fullmatch(part.strip(" \t:*()#=-").lower()):
            section = "" if heading["train"] else "test" if heading["test"] else "eval"
    return section


def _in_section(value: Value, section: str) -> Value:
    if not section or EVAL_NAME.search(value.name):
        return value
    return Value(f"{section}/{value.name}", value.span, value.scale)


def _named_before(body: str, at: int, place: Position) -> str:
    """The name in `loss at step 100: 0.5`, which stands before the position."""
    first = min((left for left, _ in place.taken), default=at)
    found = _AT_POSITION.search(body, 0, first)
    return found["name"] if found else ""


def _behind_unit(body: str, at: int) -> int:
    """Skip letters that cling to a number: they are its unit and no part of the next name."""
    while at < len(body) and (body[at].isalpha() or body[at] == "%"):
        at += 1
    return at


def _value(body: str, gap: str, number: re.Match[str]) -> tuple[Value, bool] | None:
    behind = body[number.end() : number.end() + 24]
    span, scale = number.span(), 1.0
    share = _SHARE.match(body, number.end())
    if share:
        span = share.span("share")
    elif behind[:1] in _THOUSANDS and not behind[1:2].isalnum():
        scale = _THOUSANDS[behind[0]]
        behind = behind[1:]
    elif behind[:1].isalpha() and not UNIT.match(behind):
        return None if not _timed(gap, behind) else _strong(gap, span, scale)
    named = _strong(gap, span, scale) or _weak(gap, span, scale)
    unit = UNIT.match(behind)
    if unit and (named is None or not named[1]):
        return Value(unit[0].strip(), span, scale), False
    if not share and _SIZE.match(behind) and not unit:
        return None if not _timed(gap, behind) else named
    return named


def _timed(gap: str, behind: str) -> bool:
    """Milliseconds per step are wanted, all other durations and sizes are not."""
    return behind.startswith("ms") and gap.rstrip(" :=").endswith(("step_avg", "step_time"))


def _strong(gap: str, span: Span, scale: float) -> tuple[Value, bool] | None:
    parting = _SEPARATOR.search(gap)
    if parting is None or not parting["mark"]:
        return None
    before = gap[: parting.start()]
    name = "" if before.rstrip().endswith(_OPERATORS) else _last_name(before)
    if not name or not is_metric(name):
        return None
    return Value(name, span, scale), True


def _weak(gap: str, span: Span, scale: float) -> tuple[Value, bool] | None:
    parting = _SEPARATOR.search(gap)
    if parting is None or parting["mark"]:
        return None
    name = _last_name(gap[: parting.start()])
    words = name.split()
    if len(words) > 3:
        words = words[-2:]
    name = " ".join(words)
    if not name or not SPACED_LAST.match(name) or not is_metric(name):
        return None
    return Value(name, span, scale), False


def name_before(gap: str) -> str:
    """The name that a number would have, given the text in front of it."""
    parting = _SEPARATOR.search(gap)
    return _last_name(gap[: parting.start()]) if parting else ""


def _last_name(text: str) -> str:
    """The name at the end of what stands before a number."""
    name = _DELIMITER.split(text)[-1].strip(" \t'\"*-:=✨")
    while name and name[0] in ")(]/.%+":
        name = name[1:].lstrip()
    words = name.split(" ")
    name = " ".join(words[-6:])
    return name if _NAME.fullmatch(name) else ""
