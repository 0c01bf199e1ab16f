"""The user's own keys, as far as they can be pressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

FORMER_IDS = {
    "view.write": "view.export",
    "view.names": "view.labels",
    "run.freeze": "run.pause",
    "chart.rawer": "chart.less_smooth",
    "page.theme_take": "page.theme_apply",
    "page.theme_drop": "page.theme_cancel",
    "page.write_end": "page.export_cancel",
}
"""Ids that settings may still have for actions with another name today."""

MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
"""What may stand before a key, each with a plus behind it."""

_NAMED = frozenset([*(key.value for key in Keys), *KEY_NAME_REPLACEMENTS.values()])


def pressable(wanted: Mapping[str, str], known: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Sort the user's keys into those that work and words about the others.

    Args:
        wanted: Keys by binding id; several keys of one action stand between commas.
        known: Ids that there are.
    """
    ids = frozenset(known)
    good: dict[str, str] = {}
    troubles = []
    for written, keys in wanted.items():
        name = FORMER_IDS.get(written, written)
        if name not in ids:
            troubles.append(f"[keys] {name}: no action is called so; ? lists them")
        elif wrong := [key for key in keys.split(",") if not is_key(key)]:
            troubles.append(f"[keys] {name}: {wrong[0]!r} is not a key")
        else:
            good[name] = keys
    return good, troubles


def is_key(text: str) -> bool:
    """Whether a terminal can send it: a character, a name (`pageup`), or one with modifiers."""
    *modifiers, key = text.split("+") if len(text) > 1 else [text]
    if not all(modifier in MODIFIERS for modifier in modifiers):
        return False
    if len(key) == 1:
        return key.isprintable() and not key.isspace()
    return text in _NAMED or key in _NAMED or key_to_character(key) is not None
