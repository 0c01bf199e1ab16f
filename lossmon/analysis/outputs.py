"""Model outputs on fixed prompts at different steps, and what is wrong with an output."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from lossmon.fast_dataclass import dataclass
from lossmon.types import TextSample

Step = int | None
"""Where in the run; None where it is not recorded."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt and the model's outputs on it.

    Attributes:
        tag: Tag under which the outputs were logged.
        text: The prompt, empty where the source does not record it.
        outputs: By step, ascending.
    """

    tag: str
    text: str
    outputs: Mapping[Step, TextSample]

    @property
    def key(self) -> str:
        """Stable identifier: the same for the same tag and text."""
        return _digest(self.tag, self.text)


@lru_cache(8192)
def _digest(tag: str, text: str) -> str:
    return hashlib.sha256(f"{tag}\0{text}".encode(errors="replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """All outputs of a run.

    Attributes:
        prompts: In the order in which they came; lone texts without a prompt last.
        steps: Every step with an output, ascending; outputs without a step last.
    """

    prompts: tuple[Prompt, ...] = ()
    steps: tuple[Step, ...] = ()


def collect(samples: Iterable[TextSample]) -> ModelOutputs:
    """Group the outputs by prompt."""
    found: dict[tuple[str, str], dict[Step, TextSample]] = {}
    for sample in samples:
        found.setdefault((sample.tag, sample.prompt), {})[sample.step] = sample
    prompts = [
        Prompt(tag, text, {step: outputs[step] for step in sorted(outputs, key=position)})
        for (tag, text), outputs in found.items()
    ]
    # A text that was logged once, such as a configuration, is not an output to compare.
    prompts.sort(key=lambda one: not one.text and len(one.outputs) < 2)
    steps = sorted({step for prompt in prompts for step in prompt.outputs}, key=position)
    return ModelOutputs(tuple(prompts), tuple(steps))


def position(step: Step) -> float:
    """Sort key of a step: outputs without a step come last."""
    return math.inf if step is None else float(step)


_LEAST_SHARED = 12
"""Characters that all prompts begin with before they are left out of a list: a chat template."""


def titles(prompts: Sequence[Prompt]) -> list[str]:
    """A line for each prompt: without what all of them begin with, on one line."""
    texts = [prompt.text for prompt in prompts if prompt.text]
    shared = _shared_beginning(min(texts), max(texts)) if len(texts) > 1 else ""
    cut = max(shared.rfind(" "), shared.rfind("\n")) + 1
    if cut < _LEAST_SHARED:
        cut = 0
    lines = []
    for prompt in prompts:
        rest = " ".join(prompt.text[cut : cut + 1000].split())
        lines.append(("…" if cut else "") + rest if rest else prompt.tag)
    return lines


def _shared_beginning(one: str, other: str) -> str:
    pairs = enumerate(zip(one, other, strict=False))
    differs = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    return one[:differs]


class OutputIssue(StrEnum):
    """What may be wrong with an output; a person should look."""

    EMPTY = "empty"
    LOOP = "repeats itself"
    COMMON = "same answer elsewhere"


_UNIT = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]|\w+|[^\w\s]")

_LONGEST_PERIOD = 60
"""Words of the longest passage that is looked for again."""

_FEWEST_TURNS = 4
"""Times that a passage is repeated before it is a loop: refrains come three times."""

_FEWEST_WORDS = 12
"""Words of a loop at least: `no no no no` is a valid output."""

_LEAST_ALIKE = 20
"""Characters from which the same output on different prompts is suspicious: labels are shorter."""

_FEWEST_ALIKE = 3
"""Prompts that share an output before that is suspicious."""


def repeats_itself(text: str) -> bool:
    """Whether a text ends in a loop: the same words repeated up to its end."""
    units = _UNIT.findall(text[-8000:])
    if len(units) < _FEWEST_WORDS:
        return False
    return any(_turns(units, period) for period in range(1, _LONGEST_PERIOD + 1))


def _turns(units: list[str], period: int) -> bool:
    run = 0
    for at in range(len(units) - 1, period - 1, -1):
        if units[at] != units[at - period]:
            break
        run += 1
    length = run + period
    if length < max(_FEWEST_WORDS, _FEWEST_TURNS * period):
        return False
    # Rules and rows of dots are drawn on purpose; an endless `!!!!` is not.
    passage = units[-period:]
    return any(unit.isalnum() for unit in passage) or set(passage) == {"!"}


def issues(outputs: ModelOutputs, prompt: Prompt, step: Step) -> tuple[OutputIssue, ...]:
    """What may be wrong with the output on a prompt at a step."""
    sample = prompt.outputs.get(step)
    if sample is None:
        return ()
    if not sample.output.strip():
        return () if not sample.expected and not prompt.text else (OutputIssue.EMPTY,)
    found = []
    if repeats_itself(sample.output) and not repeats_itself(sample.expected):
        found.append(OutputIssue.LOOP)
    if shared(outputs, sample)[0]:
        found.append(OutputIssue.COMMON)
    return tuple(found)


def shared(outputs: ModelOutputs, sample: TextSample) -> tuple[int, int]:
    """Number of prompts with this very output at this step, and of prompts in all.

    `(0, 0)` where that is expected: short outputs, few prompts, or equal expected outputs.
    """
    text = sample.output.strip()
    if len(text) < _LEAST_ALIKE or not sample.prompt:
        return 0, 0
    others = [one.outputs[sample.step] for one in outputs.prompts if sample.step in one.outputs]
    others = [one for one in others if one.tag == sample.tag and one.prompt]
    alike = [one for one in others if one.output.strip() == text]
    wanted = Counter(one.expected for one in alike if one.expected)
    if len(alike) < _FEWEST_ALIKE or 2 * len(alike) < len(others):
        return 0, 0
    if wanted and max(wanted.values()) == len(alike):
        return 0, 0
    return len(alike), len(others)
