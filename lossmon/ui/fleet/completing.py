"""What the tab key makes of a filter that is being typed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import takewhile

from lossmon.ui.fleet.fields import fields, folded
from lossmon.ui.fleet.query import GROUP


def shared(words: Sequence[str]) -> str:
    """The beginning that words have in common."""
    first, last = min(words), max(words)
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(char for char, _ in pairs)


def completed(text: str, names: Callable[[], Collection[str]] = tuple) -> str:
    """Return the text with its last word as long as it is clear what is meant.

    Args:
        text: A filter; its last word is the one being typed.
        names: Hyperparameters and series that some run has.
    """
    head, blank, word = text.rpartition(" ")
    sign = "-" if word.startswith("-") else ""
    word = word[len(sign) :]
    key, colon, value = word.partition(":")
    if colon:
        field = fields().get(key.casefold())
        first, comma, last = value.rpartition(",")
        codes = dict.fromkeys((field.choices or {}).values()) if field else ()
        if key.casefold() == GROUP:
            codes = dict.fromkeys(sorted({*fields(), *names()}))
        begun = [code for code in codes if last and folded(code).startswith(folded(last))]
        end = shared(begun) if begun else last
        word = f"{key}:{first}{comma}{max(end, last, key=len)}"
    elif word:
        keys = sorted({*fields(), *names(), GROUP})
        begun = [one for one in keys if one.startswith(word.casefold())]
        end = shared(begun) if begun else word
        ours = len(begun) == 1 and (begun[0] == GROUP or _has_choices(begun[0]))
        word = end + (":" if ours else "")
    return f"{head}{blank}{sign}{word}"


def _has_choices(name: str) -> bool:
    return name in fields() and bool(fields()[name].choices)
