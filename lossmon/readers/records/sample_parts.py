"""Parts of a sample: prompt, answer and expected answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lossmon.fast_dataclass import dataclass
from lossmon.readers.records.names import plain, words
from lossmon.sanitize import multiline

if TYPE_CHECKING:
    from lossmon.readers.records.frame import JsonRecord

PROMPTS = ("prompt", "question", "instruction", "input", "query", "problem", "prompts", "inputs")
OUTPUTS = (
    "predict",
    "prediction",
    "output",
    "out",
    "completion",
    "response",
    "generated",
    "generation",
    "generated_text",
    "model_output",
    "predictions",
    "outputs",
    "completions",
    "responses",
    "answer",
)
LABELS = ("label", "target", "reference", "expected", "ground_truth", "gold", "labels", "answer")
"""Spellings of each part, the surest first, as `plain` gives them."""

LISTS = ("samples", "outputs", "completions", "generations", "predictions")
"""Names of the list in a record that holds all answers of one step."""

MOST_ROWS = 1000
"""Most answers taken from one record or table."""

_WORDS = (
    frozenset(("prompt", "question", "instruction", "input", "query")),
    frozenset(("output", "out", "completion", "response", "prediction", "predict", "generated")),
    frozenset(("label", "target", "reference", "expected", "truth", "gold")),
)
"""Words by which the column of a table is known that has a name of its own."""

_HEADING = r"^[ \t>]*(?:#{1,6}[ \t]*)?(?:\*\*|__)?(?:%s)(?:\*\*|__)?[ \t]*:[ \t]*(?:\*\*|__)?"
_FLAGS = re.IGNORECASE | re.MULTILINE
_PROMPT = re.compile(_HEADING % "prompt|question|instruction|input|query|user|human", _FLAGS)
_OUTPUT = re.compile(
    _HEADING % "output|completion|response|prediction|generated|generation|answer|assistant|model",
    _FLAGS,
)
_INLINE_OUTPUT = re.compile(
    r"(?<=[\s|>→])(?:\*\*)?(?:output|completion|response|prediction)"
    r"(?:\*\*)?[ \t]*:[ \t]*(?:\*\*)?",
    re.IGNORECASE,
)
"""The same within a line, for words that a prompt seldom holds."""
_LABEL = re.compile(_HEADING % "expected|label|target|reference|ground[ _]truth|gold", _FLAGS)
_RULE = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?")


@dataclass(frozen=True, slots=True)
class Parts:
    """What one record holds.

    Attributes:
        output: What the model wrote.
        prompt: What it was asked, or empty.
        expected: What it should have written, or empty.
    """

    output: str
    prompt: str = ""
    expected: str = ""


def parts_of(record: JsonRecord) -> Iterator[Parts]:
    """The answers in a record: one, a list of records, or a column of each part."""
    for key, value in record.items():
        if plain(key) in LISTS and isinstance(value, list) and _are_records(value):
            for one in value[:MOST_ROWS]:
                yield from _single(one)
            return
    yield from _single(record)


def _are_records(values: list[object]) -> bool:
    return bool(values) and all(isinstance(value, dict) and "role" not in value for value in values)


def _single(record: JsonRecord) -> Iterator[Parts]:
    """The answer of one record, or those of one whose parts are lists of one length."""
    named = {plain(key): value for key, value in record.items()}
    output = _first(named, OUTPUTS)
    if output is None:
        return
    prompt, label = _first(named, PROMPTS), _first(named, LABELS, taken=output)
    outputs = named[output]
    if isinstance(outputs, list) and not _is_chat(outputs):
        asked = _column(named.get(prompt or ""), len(outputs))
        wanted = _column(named.get(label or ""), len(outputs))
        for one, question, reply in zip(outputs[:MOST_ROWS], asked, wanted, strict=False):
            if (text := _text(one)) is not None:
                yield Parts(text, _text(question) or "", _text(reply) or "")
        return
    text = _text(outputs)
    if text is None:
        return
    question = _text(named.get(prompt or "")) or ""
    if prompt == "instruction" and (more := _text(named.get("input"))):
        question += "\n" + more
    yield Parts(text, question, _text(named.get(label or "")) or "")


def _first(named: Mapping[str, object], names: Sequence[str], taken: str = "") -> str | None:
    found = (name for name in names if name in named and name != taken)
    return next((name for name in found if _is_told(named[name])), None)


def _is_told(value: object) -> bool:
    """Whether a value can be a text: a number can, as the answer to a sum is one."""
    return isinstance(value, str | int | float | list | dict) and not isinstance(value, bool)


def _column(value: object, count: int) -> Sequence[object]:
    if isinstance(value, list) and len(value) == count and not _is_chat(value):
        return value
    return [value] * count


def _is_chat(value: object) -> bool:
    """Whether a value is a conversation: a list of messages."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and "content" in turn for turn in value)
    )


def _text(value: object) -> str | None:
    """A value as text; None where it is none."""
    if isinstance(value, str):
        return multiline(value).strip()
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return str(value)[:64]
    if isinstance(value, dict) and isinstance(value.get("content"), str):
        return multiline(value["content"]).strip()
    if _is_chat(value) and isinstance(value, list):
        turns = value[:100]
        if len(turns) == 1:
            return _text(turns[0])
        said = (f"{turn.get('role', '')}: {_text(turn) or ''}" for turn in turns)
        return multiline("\n".join(said)).strip()
    return None


def rows_of(columns: Sequence[object], rows: Sequence[object]) -> Iterator[tuple[Parts, object]]:
    """The answers in a table, each with what its step column says, None where there is none."""
    names = [plain(name) if isinstance(name, str) else "" for name in columns]
    places = [_place(names, known, at) for at, known in enumerate((PROMPTS, OUTPUTS, LABELS))]
    if places[1] == places[2]:
        places[2] = None
    step = next((at for at, name in enumerate(names) if name in ("step", "global_step")), None)
    if places[1] is None:
        return
    for row in rows[-MOST_ROWS:]:
        if not isinstance(row, list):
            continue
        prompt, output, label = (
            _text(row[at]) if at is not None and at < len(row) else None for at in places
        )
        if output is not None:
            written = row[step] if step is not None and step < len(row) else None
            yield Parts(output, prompt or "", label or ""), written


def _place(names: Sequence[str], known: Sequence[str], part: int) -> int | None:
    exact = next((names.index(name) for name in known if name in names), None)
    if exact is not None:
        return exact
    return next((at for at, name in enumerate(names) if words(name) & _WORDS[part]), None)


def split_text(text: str) -> list[Parts]:
    """The parts of a text that people logged in one piece.

    Headings (`Prompt: …`, `**Output:** …`, `### Response:`) and Markdown tables are known;
    anything else is an answer as a whole.
    """
    table = _table(text)
    if table:
        return table
    asked = _PROMPT.match(text.lstrip())
    if asked is None:
        return [Parts(text)]
    text = text.lstrip()
    said = _OUTPUT.search(text, asked.end()) or _INLINE_OUTPUT.search(text, asked.end())
    if said is None:
        return [Parts(text)]
    wanted = _LABEL.search(text, said.end())
    end = wanted.start() if wanted else len(text)
    return [
        Parts(
            text[said.end() : end].strip(),
            text[asked.end() : said.start()].strip(),
            text[wanted.end() :].strip() if wanted else "",
        )
    ]


def _table(text: str) -> list[Parts]:
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) < 3 or "|" not in lines[0] or _RULE.fullmatch(lines[1]) is None:
        return []
    head, *rows = ([_cell(cell) for cell in _cells(line)] for line in (lines[0], *lines[2:]))
    return [parts for parts, _ in rows_of(head, rows)]


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip("|"))


def _cell(text: str) -> str:
    return text.strip().replace("\\|", "|").replace("<br>", "\n").strip("`")
