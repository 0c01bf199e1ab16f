"""Texts in the user's language: one TOML file per language, found by listing this folder.

A language file has these tables; what it lacks is shown in English.

- `screen`: English texts of the screen, as written in the code, and their translations.
  English needs none.
- `sentences`: Templates of the sentences about a run (`lossmon.analysis.sentences`).
- `cluster`: Templates of the sentences about jobs and nodes (`lossmon.analysis.cluster_sentences`).
- `terms`: Names of series inside a sentence.
- `missing`: What cannot be judged, by code.
- `advice`: Badge, evidence, meaning and remedies of each verdict, by code.
- `alerts`: Alerts about states of runs and about lossmon itself, by code.
- `messages`: Finished English sentences (errors, notes, help), by their English with `{}` in place
  of what differs. English needs none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lossmon.errors import ConfigError

FOLDER = Path(__file__).parent
"""Where the language files are."""

ENGLISH = "en"
"""The language of the code, to which every other one falls back."""


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """Codes of the languages that have a file (`en`, `zh`), English first."""
    return _listed(folder)


def language_of(environment: Mapping[str, str]) -> tuple[str, str]:
    """The language of the locale, and the variable that sets it, or an empty string.

    The variables count as in gettext: the first that is set decides, and the list in `LANGUAGE`
    counts only if a locale is set.
    """
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    variable = next((name for name in variables if environment.get(name)), "")
    if not variable or environment[variable].partition(".")[0] in ("C", "POSIX"):
        return ENGLISH, ""
    for wanted in environment.get("LANGUAGE", "").split(":"):
        if (language := _language(wanted)) in languages():
            return language, "LANGUAGE"
    language = _language(environment[variable])
    return (language if language in languages() else ENGLISH), variable


def _language(locale: str) -> str:
    """The language of a locale: `zh` of `zh_CN.UTF-8`."""
    return re.split(r"[_.@]", locale)[0].lower()


def translate(text: str, language: str, folder: Path = FOLDER) -> str:
    """A text of the screen in a language; in English where it has no translation."""
    return text if language == ENGLISH else section("screen", language, folder).get(text, text)


def phrase(text: str, language: str, **values: str) -> str:
    """A text of the screen in a language, with its placeholders filled in, see `Values`."""
    return translate(text, language).format_map(Values(values))


def _spoken() -> str:
    return ENGLISH


def speak(language: Callable[[], str]) -> None:
    """Set the language of messages, which is asked for with the first of them."""
    global _spoken
    _spoken = language


def message(text: str, language: str | None = None) -> str:
    """A finished English sentence in a language; what fits no text of `messages` stays.

    What stands in the gaps of its template is translated in the same way, such as the reason after
    the name of a file.

    Args:
        text: The sentence.
        language: Code of a language; None for that of the command line, see `speak`.
    """
    language = language or _spoken()
    return text if language == ENGLISH else _message(text, language)


@lru_cache(maxsize=1024)
def _message(text: str, language: str) -> str:
    # A lone word is a name or a value, unless it is a message itself.
    own = section("messages", language).get(text)
    if own is None and " " in text:
        own = section("screen", language).get(text)
    if own is not None:
        return str(own)
    for pattern, template in _message_templates(language):
        if found := pattern.fullmatch(text):
            return template.format(*(_message(part, language) for part in found.groups()))
    return text


SEPARATORS = {"{}: {}", "{}; {}"}
"""Templates of two sentences, or of a place and what is wrong there."""

FRAGMENT = 11
"""Characters below which a template is a fragment, to be found only between separators."""


@cache
def _message_templates(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the messages with gaps and their translations, the most specific first."""

    def rank(row: tuple[str, str]) -> int:
        return FRAGMENT if row[0] in SEPARATORS else len(row[0].replace("{}", ""))

    rows = [row for row in section("messages", language).items() if "{}" in row[0]]
    gap = re.escape("{}")
    return [
        (re.compile(re.escape(text).replace(gap, "(.*?)"), re.DOTALL), own)
        for text, own in sorted(rows, key=rank, reverse=True)
    ]


def metric_name(name: str, language: str) -> str:
    """The name of a metric in a language; what is not a term of ours stays as it was logged.

    `eval accuracy` and `eval easy accuracy` are translated by their terms.
    """
    if language == ENGLISH:
        return name
    terms: Mapping[str, str] = section("terms", language)
    split, _, rest = name.partition(" ")
    subset, _, last = rest.rpartition(" ")
    if name in terms or f"{split} {{}}" not in terms:
        # The groups of an optimizer: `learning rate group0`.
        term, _, group = name.rpartition(" ")
        return terms.get(name, f"{terms[term]} {group}" if term in terms else name)
    if rest in terms:
        return terms[f"{split} {{}}"].format(terms[rest])
    return terms[f"{split} {{}}"].format(f" {subset} {terms[last]}") if last in terms else name


class Values(dict[str, str]):
    """Values for the placeholders of a text; a missing one reads as a dash.

    `{count:step|steps}` is `step` where the value is 1, else `steps`.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__({key: _Placeholder(value) for key, value in values.items()})

    def __missing__(self, key: str) -> str:
        return _Placeholder("–")


class _Placeholder(str):
    def __format__(self, spec: str) -> str:
        one, is_choice, many = spec.partition("|")
        if is_choice:
            return one if self == "1" else many
        return super().__format__(spec)


@cache
def section(name: str, language: str, folder: Path = FOLDER) -> Mapping[str, Any]:
    """One table of a language file (`terms`, `advice.healthy`), completed from the English one."""
    return _merged(_table(name, ENGLISH, folder), _table(name, language, folder))


def _merged(english: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """A table laid over the English one, and so the tables inside it."""
    merged = {**english, **own}
    for key, value in english.items():
        if isinstance(value, dict) and key in own:
            merged[key] = _merged(value, own[key])
    return merged


@cache
def _listed(folder: Path) -> tuple[str, ...]:
    found = sorted(path.stem for path in folder.glob("*.toml"))
    return tuple(sorted(found, key=lambda language: language != ENGLISH))


def _table(name: str, language: str, folder: Path) -> dict[str, Any]:
    texts = _texts(language, folder)
    # An English screen is drawn without the parser; it is needed once a verdict is shown.
    import tomllib

    within = (one for key, one in texts.items() if key == name or key.startswith(f"{name}."))
    try:
        table = tomllib.loads("".join(within))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{folder / language}.toml: [{name}]: {error}") from error
    for key in name.split("."):
        table = table.get(key, {})
    return table


@cache
def _texts(language: str, folder: Path) -> dict[str, str]:
    """What a file says of each table and of each table in one; few are parsed, which takes long."""
    if language not in _listed(folder):
        return {}
    texts: dict[str, str] = {}
    for part in re.split(r"^(?=\[)", (folder / f"{language}.toml").read_text("utf-8"), flags=re.M):
        name = ".".join(part[1:].partition("]")[0].split(".")[:2])
        texts[name] = texts.get(name, "") + part
    return texts
