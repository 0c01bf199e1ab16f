"""Ratings of model outputs, kept beside the settings."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from lossmon.analysis.outputs import Prompt, Step, position
from lossmon.fast_dataclass import dataclass
from lossmon.ui.state import json_file

NAME = "outputs.json"
"""The file in the user's directory of settings."""

LARGEST = 16 << 20
"""Bytes: a hundred thousand marks; a larger file is not ours."""


class Rating(StrEnum):
    """How the later of two answers is, beside the earlier."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"

    @property
    def turned(self) -> Rating:
        """The same said of the earlier answer beside the later."""
        return {Rating.BETTER: Rating.WORSE, Rating.WORSE: Rating.BETTER}.get(self, self)


_Key = tuple[str, str, Step, Step]
"""Run, prompt, earlier step, later step."""


class Ratings:
    """Marks of answers, by run, prompt and the two steps.

    Attributes:
        error: Why ratings are not kept, or empty.

    Args:
        directory: Directory of the file; None keeps nothing beyond the life of this object.
    """

    def __init__(self, directory: Path | None) -> None:
        self._path = None if directory is None else directory / NAME
        self._marks: dict[_Key, Rating] = {}
        self.error = ""
        self._take_in()

    def of(self, run: Path, prompt: Prompt, before: Step, after: Step) -> Rating | None:
        """What was said of the answer at `after` beside that at `before`; None if nothing."""
        key, turned = _key(run, prompt, before, after)
        opinion = self._marks.get(key)
        return opinion.turned if opinion and turned else opinion

    def mark(
        self, run: Path, prompt: Prompt, before: Step, after: Step, opinion: Rating | None
    ) -> None:
        """Say what is thought of an answer; None takes it back. Written at once."""
        key, turned = _key(run, prompt, before, after)
        # Another lossmon may have written since: its marks stay.
        self._take_in()
        if opinion is None:
            self._marks.pop(key, None)
        else:
            self._marks[key] = opinion.turned if turned else opinion
        if self._path is not None and not self.error:
            try:
                json_file.write(self._path, written(self._marks))
            except json_file.JsonFileError as error:
                self.error = f"{error}; ratings are not kept"

    def _take_in(self) -> None:
        if self._path is None or self.error:
            return
        try:
            self._marks = read(self._path)
        except json_file.JsonFileError as error:
            self.error = f"{error}; ratings are not kept, the file stays as it is"


def _key(run: Path, prompt: Prompt, before: Step, after: Step) -> tuple[_Key, bool]:
    """The place of a mark, and whether it says the opposite of what is stored there."""
    name = os.path.abspath(run)
    if position(before) <= position(after):
        return (name, prompt.key, before, after), False
    return (name, prompt.key, after, before), True


def read(path: Path) -> dict[_Key, Rating]:
    """The marks in a file; none where it is not there.

    Raises:
        JsonFileError: It cannot be read, or is not a file of ratings.
    """
    try:
        content = json_file.read(path, LARGEST)
    except FileNotFoundError:
        return {}
    try:
        if not isinstance(content, dict):
            raise TypeError("no object")
        return dict(_mark(one) for one in content["marks"])
    except (ValueError, LookupError, TypeError) as error:
        raise json_file.JsonFileError(
            f"{path}: not a file of ratings ({type(error).__name__})"
        ) from error


def _mark(one: dict[str, object]) -> tuple[_Key, Rating]:
    run, prompt, before, after = one["run"], one["prompt"], one["before"], one["after"]
    if not isinstance(run, str) or not isinstance(prompt, str):
        raise TypeError("a name is not a text")
    return (run, prompt, _step(before), _step(after)), Rating(str(one["mark"]))


def _step(value: object) -> Step:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError("a step is not a number")


def written(marks: dict[_Key, Rating]) -> str:
    """The ratings as `read` takes them, one per line."""
    names = ("run", "prompt", "before", "after")
    rows = [
        json.dumps({**dict(zip(names, key, strict=True)), "mark": mark.value})
        for key, mark in marks.items()
    ]
    return '{"marks": [\n' + ",\n".join(rows) + "\n]}\n"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was said of one step beside another.

    Attributes:
        better: Prompts whose answer the user rated better.
        worse: Prompts whose answer the user rated worse.
        same: Prompts where it makes no difference.
        both: Prompts that have an answer at both steps.
    """

    better: int
    worse: int
    same: int
    both: int

    @property
    def judged(self) -> int:
        """Prompts that anything was said of."""
        return self.better + self.worse + self.same


def tally(
    ratings: Ratings, run: Path, prompts: Sequence[Prompt], before: Step, after: Step
) -> Tally:
    """Count what was said of the prompts that have an answer at both steps."""
    both = [one for one in prompts if before in one.outputs and after in one.outputs]
    said = [ratings.of(run, one, before, after) for one in both]
    return Tally(
        said.count(Rating.BETTER), said.count(Rating.WORSE), said.count(Rating.SAME), len(both)
    )
