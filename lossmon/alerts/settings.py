"""Settings of alerts: the table `[alerts]` of config.toml and the flags of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lossmon.alerts.channels import CHANNELS, ROWS, ChannelRow
from lossmon.alerts.sender import ChannelConfig, QuietHours, parse_hours
from lossmon.alerts.tracker import STATE_CODES, Change, Transition
from lossmon.diagnosis.advice import codes
from lossmon.errors import ConfigError, did_you_mean
from lossmon.fast_dataclass import dataclass
from lossmon.types import Severity

SEVERITIES = {one.word: one for one in (Severity.NOTICE, Severity.WARNING, Severity.CRITICAL)}
"""Severities that `on` and `severity` may name."""

OWN_KEYS = ("on", "resolved", "quiet_hours", "screen")
"""Keys of `[alerts]` other than the tables of the channels."""

COMMON_KEYS = ("severity", "quiet_hours")
"""Keys that every channel has in addition to its own."""

TYPES: Mapping[str, tuple[type, ...]] = {"str": (str,), "float": (int, float), "bool": (bool,)}
"""What the annotations of a channel's parameters accept; what is not listed, the channel checks."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which transitions are worth an alert.

    Attributes:
        codes: Conditions that always are.
        severity: Severity from which every condition is; None for none.
        resolved: Their end is as well.
    """

    codes: frozenset[str]
    severity: Severity | None
    resolved: bool = False

    def takes(self, transition: Transition) -> bool:
        """Whether a transition is worth an alert."""
        if transition.change is Change.END and not self.resolved:
            return False
        enough = self.severity is not None and transition.severity >= self.severity
        return enough or transition.code in self.codes


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """What the user wants to be alerted to, and how.

    Attributes:
        selection: Which transitions.
        channels: Where they are sent.
        screen: Send them from the screen as well.
    """

    selection: Selection
    channels: tuple[ChannelConfig, ...]
    screen: bool = False


def load(
    table: Mapping[str, Any],
    where: str = "[alerts]",
    *,
    on: Sequence[str] = (),
    resolved: bool = False,
    flags: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> AlertSettings:
    """Join the table of the settings file with the flags.

    Args:
        table: `[alerts]`, as TOML has it.
        where: What to call it in messages.
        on: Codes and severities of the command line, in place of those of the table.
        resolved: Alert to the end of conditions too.
        flags: Channels of the command line, added to those of the table: name and settings.

    Raises:
        ConfigError: A key or a value is wrong; says which and what is allowed.
    """
    unknown = table.keys() - {*OWN_KEYS, *ROWS}
    if unknown:
        known = ", ".join((*OWN_KEYS, *ROWS))
        raise ConfigError(f"{where}: {sorted(unknown)[0]!r} is not known; there are {known}")
    words = on or _words(table.get("on", "warning"), f"{where}: on")
    ends = resolved or _checked(table.get("resolved", False), "bool", f"{where}: resolved")
    hours = parse_hours(
        _checked(table.get("quiet_hours", ""), "str", f"{where}: quiet_hours"),
        f"{where}: quiet_hours",
    )
    channels = [*_of_table(table, where, hours), *_of_flags(flags, hours)]
    screen = _checked(table.get("screen", False), "bool", f"{where}: screen")
    return AlertSettings(_selection(words, ends), tuple(_named_apart(channels)), screen)


def _words(value: object, where: str) -> list[str]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ConfigError(f"{where} must be a word or a list of words")
    return [word.strip() for word in value if word.strip()]


def _selection(words: Sequence[str], resolved: bool) -> Selection:
    known = (*codes(), *STATE_CODES)
    for word in words:
        if word not in known and word not in SEVERITIES:
            raise ConfigError(
                f"alerts on {word!r}: use {', '.join(SEVERITIES)}, or codes: "
                f"{', '.join(dict.fromkeys(known))}{did_you_mean(word, [*SEVERITIES, *known])}"
            )
    thresholds = [SEVERITIES[word] for word in words if word in SEVERITIES]
    return Selection(frozenset(words), min(thresholds, default=None), resolved)


def _of_table(
    table: Mapping[str, Any], where: str, hours: QuietHours | None
) -> Iterator[ChannelConfig]:
    for row in CHANNELS:
        entries = table.get(row.name, [])
        for entry in entries if isinstance(entries, list) else [entries]:
            place = f"{where[:-1]}.{row.name}]" if where.endswith("]") else f"{where}.{row.name}"
            if not isinstance(entry, dict):
                raise ConfigError(f"{place} must be a table")
            yield _channel(row, entry, place, hours)


def _of_flags(
    flags: Sequence[tuple[str, Mapping[str, Any]]], hours: QuietHours | None
) -> Iterator[ChannelConfig]:
    for name, entry in flags:
        yield _channel(ROWS[name], entry, f"--{name}", hours)


def _channel(
    row: ChannelRow, entry: Mapping[str, Any], where: str, hours: QuietHours | None
) -> ChannelConfig:
    made = row.load()
    parameters = inspect.signature(made).parameters
    unknown = entry.keys() - {*COMMON_KEYS, *parameters}
    if unknown:
        known = ", ".join((*parameters, *COMMON_KEYS))
        raise ConfigError(f"{where}: {sorted(unknown)[0]!r} is not known; there are {known}")
    missing = [
        name for name, one in parameters.items() if one.default is one.empty and name not in entry
    ]
    if missing:
        raise ConfigError(f"{where}: {missing[0]} is missing")
    own = {
        name: _checked(value, str(parameters[name].annotation), f"{where}: {name}")
        for name, value in entry.items()
        if name in parameters
    }
    try:
        channel = made(**own)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    quiet = entry.get("quiet_hours")
    if quiet is not None:
        hours = parse_hours(_checked(quiet, "str", where), f"{where}: quiet_hours")
    return ChannelConfig(
        row.name, channel, _severity(entry, where), hours if row.paced else None, row.paced
    )


def _severity(entry: Mapping[str, Any], where: str) -> Severity:
    word = entry.get("severity")
    if word is None:
        return Severity.NEUTRAL
    if word not in SEVERITIES:
        raise ConfigError(f"{where}: severity {word!r}: use {', '.join(SEVERITIES)}")
    return SEVERITIES[word]


def _checked(value: Any, annotation: str, where: str) -> Any:
    allowed = TYPES.get(annotation)
    if allowed is not None and (
        not isinstance(value, allowed) or isinstance(value, bool) is not (allowed == (bool,))
    ):
        words = {"str": "a text", "float": "a number", "bool": "true or false"}
        raise ConfigError(f"{where}: {value!r} is not {words[annotation]}")
    return value


def _named_apart(channels: Sequence[ChannelConfig]) -> Iterator[ChannelConfig]:
    """Several channels of one kind are numbered: `webhook`, `webhook-2`."""
    counts: dict[str, int] = {}
    for one in channels:
        counts[one.name] = number = counts.get(one.name, 0) + 1
        name = one.name if number == 1 else f"{one.name}-{number}"
        yield ChannelConfig(name, one.channel, one.severity, one.quiet, one.paced)
