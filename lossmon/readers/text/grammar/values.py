"""Numbers of a line that have a name which can be a metric."""

from __future__ import annotations

import re
from dataclasses import replace

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.parsed import LinePosition, LineValue, TextSpan
from lossmon.readers.text.grammar.words import (
    LONE_SPLIT,
    METRIC_WORD,
    NUMBER,
    RATE,
    SAYS_SPLIT,
    SPACED_LAST,
    TOKEN,
    UNIT,
    is_known,
    is_loss,
    is_metric,
)

REACH = 160
"""Characters in front of a number in which its name is looked for."""

_CAST = r"(?:tensor|array|(?:np\.|numpy\.|torch\.)?b?float\d{1,3})\(\[{0,2}"
_SEPARATOR = lazy_pattern(
    rf"\s*(?P<mark>[:=])\s*[\[({{'\"]{{0,3}}(?:{_CAST})?$|\s*,\s+$|\s+(?:{_CAST})?$"
)
_DELIMITER = lazy_pattern(r"[|,;\t\[\]{}<>]|\s[-~•]\s|\s{2,}|:\s|\s-(?=\w)|=[^\s=]*\s")
_NAME = lazy_pattern(r"[A-Za-z_\u4e00-\u9fff][\w./@%()'+\- ]{0,79}")
_VERB = lazy_pattern(r"(?i)^.*\b(?:with|and|the|an?)\s+(?=\w)|(?: so far)? (?:of|is|was)$")
_SIZE = lazy_pattern(
    r"\s?(?:[kKMGT]?i?B\b|[mun]s\b|s\b|secs?\b|seconds?\b|min\b|mins\b|minutes?\b|h\b|hrs?\b|hours?\b|"
    r"px\b|W\b|days?\b|epochs?\b|steps?\b|rounds?\b|/\s?\d|x\d)"
)
_SHARE = lazy_pattern(r"\s?/\s?\d+ \((?P<share>\d+(?:\.\d+)?)%\)")
_OPERATORS = ("/", "*", "+", "-", "<", ">", "!", "=")
_CLINGING = lazy_pattern(r"[^\W\d_]*%?(?:(?<=\w)/[^\W\d_]+)?")
_THOUSANDS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_BARE_GAP = lazy_pattern(r"\|\s{0,3}\)?\s{0,3}(?:[:=]|(?:is|was)(?=\s))\s*$")
_LONE_GAP = lazy_pattern(
    r"[\W_]*(?:(?i:loss(?:es)?)[\W_]+|(?i:acc(?:uracy)?|err(?:or)?|f1|m?iou|dice|ppl|perplexity):\s+)?"
    rf"(?P<name>{LONE_SPLIT.pattern.replace('(?i)', '(?i:', 1)}))\s+"
)
_LONE_BEHIND = lazy_pattern(
    rf"\W*(?i:eval(?:uation)?|val(?:id(?:ation)?)?)\W+{_LONE_GAP.pattern}", re.ASCII
)
"""Such a split behind the name of an evaluation: `[eval] iter 10: train 0.5`."""

_AT_POSITION = lazy_pattern(
    r"(?P<name>[A-Za-z][\w @]{0,40}?) ?(?: (?:at|after|for|in|on|@)(?: the)?\s*|\(\s*)$"
)
_GROUP = lazy_pattern(r"[A-Za-z]\w{0,40}$")
_HEADING = lazy_pattern(
    r"(?P<train>train(?:ing)?)|(?P<test>test)|val(?:id(?:ation)?)?|eval(?:uation)?|dev"
)


_STANZA = lazy_pattern(
    r"(?:\W{0,12}+[A-Za-z](?:[\w@./()-]| (?! )){0,40}(?:\s{0,20}:\s{0,12}+|\s?=\s?)"
    r"(?:[-+]?\d+\.\d+(?:e[-+]?\d+)?(?:\s?(?:%|dB))?|\d+%|nan)(?![\w.])){1,8}[^\w│┃║]*"
)
"""Pairs of a name and a number with decimals or in per cent, and nothing else."""

_STANZA_LENGTH = 200
_LAST_WORD = lazy_pattern(r"[^\s_/.]+(?=\s*(?:\([^()]*\))?$)")

_LISTED = lazy_pattern(
    r"(?P<before>[A-Za-z]\w{0,30}[ :]{1,2})?\(?"
    r"(?P<names>[A-Za-z]\w{0,30}(?P<sign> ?[/|] ?|, ?)[A-Za-z]\w{0,30}"
    r"(?:(?P=sign)[A-Za-z]\w{0,30}){0,6})\)?(?P<behind> [A-Za-z]\w{0,30})?"
    rf"\s{{0,3}}[:=]?\s{{0,3}}\(?(?P<numbers>{NUMBER}(?:(?: ?[/|] ?|, ?| ){NUMBER})++)"
)
"""Several names, and behind them as many numbers: `train/val loss: 0.5 / 0.6`."""


def values_of(body: str, start: int, place: LinePosition) -> list[tuple[LineValue, bool]]:
    """Every number with a name that can be a metric, and whether `:` or `=` parts them.

    Args:
        body: The line, with all that looks like a clock or a path blanked out.
        start: Index of the first character of the message.
        place: What the line says of its place.
    """
    original = body
    for left, right in place.taken:
        body = body[:left] + "|" * (right - left) + body[right:]
    found: list[tuple[LineValue, bool]] = []
    listed = _listed(body, start)
    before, section, noun, group = start, "", "", ""
    for number in TOKEN.finditer(body, start):
        if name := listed.get(number.start()):
            found.append((LineValue(name, number.span()), True))
            before = number.end()
            continue
        at = max(before, number.start() - REACH)
        gap = body[at : number.start()]
        section, noun, group = _section(gap, section), _noun(gap, noun), _group(gap, group)
        if _BARE_GAP.search(gap):
            gap = f"{_named_before(original, at, place)}:"
        value = _value(body, gap, number)
        if value is not None:
            named = _in_section(value[0], section, noun)
            if group and any(named.name == earlier.name for earlier, _ in found):
                named = replace(named, name=f"{group}/{named.name}")
            found.append((named, value[1]))
        before = _behind_unit(body, number.end())
    return _validated(found)


def measures_only(message: str, values: list[tuple[LineValue, bool]]) -> bool:
    """Whether a line holds nothing but measured values, as those below a position do."""
    if len(message) > _STANZA_LENGTH or _STANZA.fullmatch(message) is None:
        return False
    whole = [message.count(sign) for sign in (":", "=")]
    return len(values) in whole and all(sure and _ends_known(value.name) for value, sure in values)


def _ends_known(name: str) -> bool:
    """Whether the last word of a name says what was measured; in `mae_mask_ratio` it does not."""
    last = _LAST_WORD.search(name)
    if last is None or not is_known(name):
        return False
    return RATE.match(name) is not None or is_known(last[0])


def _validated(found: list[tuple[LineValue, bool]]) -> list[tuple[LineValue, bool]]:
    """The values of `loss 0.5 v_loss 0.6 kl 1.2 v_kl 1.3`, where a `v_` means the validation.

    Beside a single `loss`, `v_loss` may be that of a value function.
    """
    names = {value.name for value, _ in found}
    twins = {name for name in names if name.startswith("v_") and name[2:] in names}
    if len(twins) < 2:
        return found
    return [
        (replace(value, name=f"val_{value.name[2:]}"), sure)
        if value.name in twins
        else (value, sure)
        for value, sure in found
    ]


def _section(gap: str, section: str) -> str:
    """The split that a heading inside the line announces: `train: loss=1 val: loss=2`."""
    for part in _DELIMITER.split(gap)[:-1]:
        if heading := _HEADING.fullmatch(part.strip(" \t:*()#=-").lower()):
            section = "" if heading["train"] else "test" if heading["test"] else "eval"
    return section


def _noun(gap: str, noun: str) -> str:
    """The quantity that a heading announces for the splits behind: `Loss: train=1, val=2`."""
    *headings, name = _DELIMITER.split(gap)
    for part in headings if name.strip() else ():
        if METRIC_WORD.fullmatch(part.strip()) and not LONE_SPLIT.fullmatch(part.strip()):
            noun = part.strip()
    return noun


def _group(gap: str, group: str) -> str:
    """The name in front of the bracket that is open: `loss[ce=1], tot_loss[ce=2]`."""
    opened = gap.rfind("[")
    if opened < 0:
        return "" if "]" in gap else group
    found = _GROUP.search(gap, 0, opened)
    return found[0] if found and "]" not in gap[opened:] else ""


def _listed(body: str, start: int) -> dict[int, str]:
    """Names by the places of their numbers, where names and numbers are listed apart."""
    found: dict[int, str] = {}
    for match in _LISTED.finditer(body, start):
        numbers = [one.start() for one in TOKEN.finditer(body, *match.span("numbers"))]
        names = _list_names(match)
        if len(names) == len(numbers):
            found |= zip(numbers, names, strict=True)
    return found


def _list_names(match: re.Match[str]) -> list[str]:
    """The full names of a list: of `train/val loss` and `loss (train/val)`, `val loss/acc`."""
    names = [name.strip() for name in match["names"].split(match["sign"].strip())]
    before, behind = (match["before"] or "").strip(" :"), (match["behind"] or "").strip()
    if all(map(LONE_SPLIT.fullmatch, names)):
        noun = behind or before
        if METRIC_WORD.search(noun):
            names = [f"{name} {noun}" for name in names]
        return [] if behind and not METRIC_WORD.search(behind) else names
    if LONE_SPLIT.fullmatch(before):
        names = [f"{before} {name}" for name in names]
    return names if not behind and all(map(is_known, names)) else []


def _in_section(value: LineValue, section: str, noun: str) -> LineValue:
    if noun and LONE_SPLIT.fullmatch(value.name):
        return LineValue(f"{value.name} {noun}", value.span, value.scale)
    if not section or SAYS_SPLIT.search(value.name) or LONE_SPLIT.fullmatch(value.name):
        return value
    return LineValue(f"{section}/{value.name}", value.span, value.scale)


def _named_before(body: str, at: int, place: LinePosition) -> str:
    """The name in `loss at step 100: 0.5` and `loss (epoch 1): 0.5`, before the position."""
    first = min((left for left, _ in place.taken), default=at)
    found = _AT_POSITION.search(body, 0, first)
    return found["name"] if found else ""


def _behind_unit(body: str, at: int) -> int:
    """Skip letters that cling to a number: they are its unit and no part of the next name."""
    unit = _CLINGING.match(body, at)
    return unit.end() if unit else at


def _value(body: str, gap: str, number: re.Match[str]) -> tuple[LineValue, bool] | None:
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
    named = _strong(gap, span, scale) or _weak(gap, span, scale) or _lone(gap, number, behind)
    if named is not None and "," in number[0] and "." not in number[0] and is_loss(named[0].name):
        # `1,234` may mean a little more than 1 as well.
        return None
    if named is not None and behind.startswith("%") and named[0].name.lower().endswith("loss"):
        # Networks lose per cents of their packets.
        return None
    unit = UNIT.match(behind)
    if unit and (named is None or not named[1]):
        return LineValue(unit[0].strip(), span, scale), False
    if not share and _SIZE.match(behind) and not unit:
        return None if not _timed(gap, behind) else named
    return named


def _timed(gap: str, behind: str) -> bool:
    """Milliseconds per step are wanted, all other durations and sizes are not."""
    return behind.startswith("ms") and gap.rstrip(" :=").endswith(("step_avg", "step_time"))


def _strong(gap: str, span: TextSpan, scale: float) -> tuple[LineValue, bool] | None:
    parting = _SEPARATOR.search(gap)
    if parting is None or not parting["mark"]:
        return None
    before = gap[: parting.start()]
    name = "" if before.rstrip().endswith(_OPERATORS) else _last_name(before)
    if not name or not is_metric(name):
        return None
    return LineValue(name, span, scale), True


def _weak(gap: str, span: TextSpan, scale: float) -> tuple[LineValue, bool] | None:
    parting = _SEPARATOR.search(gap)
    if parting is None or parting["mark"]:
        return None
    name = _VERB.sub("", _last_name(gap[: parting.start()]))
    words = name.split()
    if len(words) > 3:
        words = words[-2:]
    name = " ".join(words)
    if not name or not SPACED_LAST.match(name) or not is_metric(name):
        return None
    return LineValue(name, span, scale), False


def _lone(gap: str, number: re.Match[str], behind: str) -> tuple[LineValue, bool] | None:
    """A split with nothing but signs between it and what stands before: `| val 0.61`."""
    split = _LONE_GAP.fullmatch(gap) or _LONE_BEHIND.fullmatch(gap)
    if split is None or number[0].isdecimal() or behind.lstrip()[:1] == "%":
        return None
    return LineValue(split["name"], number.span()), False


def name_before(gap: str) -> str:
    """The name that a number would have, given the text in front of it."""
    parting = _SEPARATOR.search(gap)
    return _last_name(gap[: parting.start()]) if parting else ""


def _last_name(text: str) -> str:
    """The name at the end of what stands before a number."""
    name = _DELIMITER.split(text)[-1].strip(" \t'\"*-:=✨")
    while name and name[0] in ")(]/.%+":
        name = name[1:].lstrip()
    name = name if "(" in name else name.replace(")", "")
    words = name.split(" ")
    name = " ".join(words[-6:])
    return name if _NAME.fullmatch(name) else ""
