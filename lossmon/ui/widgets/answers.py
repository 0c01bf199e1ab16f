"""Prompts, and two answers to one of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from lossmon.analysis.text_diff import DiffWord, words
from lossmon.fast_dataclass import dataclass
from lossmon.ui.text.flow import calm, flow, marked
from lossmon.ui.text.lines import (
    EMPTY,
    MUTED,
    STRONG,
    TEXT,
    Line,
    Span,
    clip,
    fit,
    join,
    pad,
    width,
)
from lossmon.ui.widgets.panel import Panel

BESIDE = 96
"""Cells from which the list of prompts stands left of the answers."""

STACKED = 56
"""Cells below which the answers stand one above the other."""

LIST_ROOM = 34
"""Cells of the list of prompts beside the answers, where a third of the view is not less."""

PROMPT_ROWS = 3
"""Rows of the prompt and of the expected answer at most."""

Brackets = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt in the list.

    Attributes:
        title: The prompt on one line.
        mark: What the user said of it: `+`, `=`, `-`, or a blank.
        there: It has an answer at both steps.
    """

    title: str
    mark: str = " "
    there: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        head: Its step and what there is to say of it, each with its importance.
        words: Its words; None where there is no answer.
        absent: What to say then.
    """

    head: tuple[tuple[int, Line], ...]
    words: tuple[DiffWord, ...] | None = None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """All that the panel shows.

    Attributes:
        rows: The prompts.
        chosen: Which of them is looked at.
        prompt: Label and text of the prompt, empty where it is not known.
        expected: The same of the expected answer.
        answers: Two answers, or one.
        alone: The answer has all the room: no list stands beside it.
        plain: Changed words stand in brackets, as colours do not tell.
        message: Lines instead of everything, where there is nothing to compare.
    """

    rows: tuple[PromptRow, ...] = ()
    chosen: int = 0
    prompt: tuple[str, str] = ("", "")
    expected: tuple[str, str] = ("", "")
    answers: tuple[Answer, ...] = ()
    alone: bool = False
    plain: bool = False
    message: tuple[Line, ...] = field(default_factory=tuple)


class Answers(Panel):
    """Shows a pair.

    Attributes:
        top: First line of the answers that is shown.
        depth: Lines of the longer answer.
        rows: Lines of it that are in view.
        list_rows: Rows of the panel that hold the list, and its first cell and the first prompt
            shown, for the mouse.
    """

    # What is to be copied has no frame at its sides.
    DEFAULT_CSS = """
    Answers { height: 1fr; padding: 0 1; border-left: round $frame; border-right: round $frame; }
    Answers.-bare { border-left: none; border-right: none; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__(id="text")
        self.pair = Pair()
        self.top = 0
        self.depth = 0
        self.rows = 1
        self.listed = (0, 0, 0)
        """Width and height of the list, and the first prompt in it."""
        self._flowed: tuple[object, list[list[Line]]] = (None, [])

    def show(self, pair: Pair) -> None:
        """Show something else, or the same."""
        if pair != self.pair:
            self.pair = pair
            self.redraw()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        pair = self.pair
        if pair.message or not pair.answers:
            self.listed = (0, 0, 0)
            return [fit(line, width) for line in pair.message]
        if pair.alone:
            self.listed = (0, 0, 0)
            return self._text(width, height)
        if width >= BESIDE:
            return self._beside(width, height)
        rows = max(1, min(len(pair.rows), height // 4))
        listed = self._list(width, rows)
        rule: list[Line] = [(("─" * width, "frame"),)] if height - rows >= 8 else []
        return [*listed, *rule, *self._text(width, height - rows - len(rule))]

    def _beside(self, width: int, height: int) -> list[Line]:
        room = max(LIST_ROOM, width // 4)
        listed = self._list(room, height)
        text = self._text(width - room - 3, height)
        listed += [EMPTY] * (height - len(listed))
        text += [EMPTY] * (height - len(text))
        return [
            (*pad(left, room), (" │ ", "frame"), *right)
            for left, right in zip(listed, text, strict=False)
        ]

    def _list(self, room: int, height: int) -> list[Line]:
        rows, chosen = self.pair.rows, self.pair.chosen
        first = max(0, min(chosen - height // 2, len(rows) - height))
        self.listed = (room, height, first)
        return [
            _row(row, room, chosen=at == chosen)
            for at, row in enumerate(rows[first : first + height], first)
        ]

    # ------------------------------------------------------------------- prompt and answers

    def _text(self, width: int, height: int) -> list[Line]:
        """The prompt, the answers, and below them what was expected."""
        pair = self.pair
        most = PROMPT_ROWS if height >= 16 else 1 if height >= 6 else 0
        if pair.alone:
            most = height // 3
        prompt = named(*pair.prompt, width, most)
        expected = named(*pair.expected, width, most)
        gaps = 1 if height >= 12 else 0
        above: list[Line] = [*prompt, *([EMPTY] * gaps if prompt else [])]
        below: list[Line] = [*([EMPTY] * gaps if expected else []), *expected]
        answers = self._answers(width, max(2, height - len(above) - len(below)))
        return [*above, *answers, *below]

    def _answers(self, width: int, height: int) -> list[Line]:
        answers = self.pair.answers
        if len(answers) == 2 and width >= STACKED:
            room = (width - 3) // 2
            left, right = self._columns(room, width - 3 - room)
            # What was expected stands right below short answers.
            height = min(height, max(len(left), len(right)) + 1)
            self._place(max(len(left), len(right)), height - 1)
            left, right = self._part(left, 0, height, room), self._part(right, 1, height, room)
            return [
                (*pad(old, room), (" │ ", "frame"), *fit(new, width - 3 - room))
                for old, new in zip(left, right, strict=True)
            ]
        flowed = self._columns(*[width] * len(answers))
        shares = _shares([len(lines) + 1 for lines in flowed], height)
        self._place(*_longest(flowed, shares))
        lines = [
            line
            for at, (one, rows) in enumerate(zip(flowed, shares, strict=True))
            for line in self._part(one, at, rows, width)
        ]
        return [fit(line, width) for line in lines[:height]]

    def _part(self, flowed: list[Line], at: int, height: int, room: int) -> list[Line]:
        """Head and visible lines of one answer, filled to some rows."""
        head = headed(self.pair.answers[at].head, room)
        lines = [head, *flowed[self.top : self.top + height - 1]]
        return lines + [EMPTY] * (height - len(lines))

    def _place(self, depth: int, rows: int) -> None:
        self.depth, self.rows = depth, max(1, rows)
        self.top = max(0, min(self.top, self.last_top()))

    def last_top(self) -> int:
        """The first line shown when the end of the longer answer is in view."""
        return max(0, self.depth - self.rows)

    def _columns(self, *rooms: int) -> list[list[Line]]:
        """The answers as lines, broken again only when they or the room changed."""
        pair = self.pair
        asked = (pair.answers, pair.plain, rooms)
        if self._flowed[0] != asked:
            marks: tuple[tuple[str, Brackets], ...] = (
                ("removed", ("[-", "-]") if pair.plain else None),
                ("added", ("{+", "+}") if pair.plain else None),
            )
            flowed = [
                _flowed(answer, role, brackets, room)
                for answer, (role, brackets), room in zip(pair.answers, marks, rooms, strict=False)
            ]
            self._flowed = (asked, flowed)
        return self._flowed[1]


def headed(parts: Sequence[tuple[int, Line]], room: int) -> Line:
    """The parts of a head that fit, the least important given up first."""
    kept = list(parts)
    while True:
        line = join([part for _, part in kept], (" · ", MUTED))
        if width(line) <= room or len(kept) < 2:
            return line
        kept.remove(max(kept, key=lambda part: part[0]))


def _shares(wanted: list[int], height: int) -> list[int]:
    """Rows of each answer where they stand one above the other: what a short one leaves, the
    other has."""
    if len(wanted) < 2 or sum(wanted) <= height:
        return [min(rows, height) for rows in wanted]
    half = max(2, height // 2)
    first = min(wanted[0], max(half, height - wanted[1]))
    return [first, max(2, min(wanted[1], height - first))]


def _longest(flowed: list[list[Line]], shares: list[int]) -> tuple[int, int]:
    """Lines of the answer that has most out of view, and how many are in view."""
    pairs = [(len(lines), rows - 1) for lines, rows in zip(flowed, shares, strict=True)]
    return max(pairs, key=lambda pair: pair[0] - pair[1])


def _flowed(answer: Answer, role: str, brackets: Brackets, room: int) -> list[Line]:
    if answer.words is None:
        return flow([(word, MUTED) for word in words(answer.absent)], room)
    return flow(marked(answer.words, role, brackets), room)


_MARKS = {"+": "ok", "-": "warning", "=": "key"}


def _row(row: PromptRow, room: int, *, chosen: bool) -> Line:
    role = STRONG if chosen else TEXT if row.there else MUTED
    mark: Span = (row.mark, _MARKS.get(row.mark, MUTED))
    title = clip(calm(row.title), max(1, room - 4))
    line: Line = (("▸" if chosen else " ", "key"), mark, (" ", TEXT), (title, role))
    return fit(line, room)


def named(label: str, text: str, room: int, most: int) -> list[Line]:
    """A text behind its label, in a few lines; nothing where there is no text."""
    if not text or most < 1:
        return []
    # More than fits is not broken into lines: a prompt may be a book.
    shown = map(DiffWord, words(text[: room * (most + 2) * 4]))
    lines = flow([(f"{label} ", MUTED), *marked(shown, TEXT, None)], room)
    if len(lines) > most:
        lines = [*lines[: most - 1], ended(lines[most - 1], room)]
    return lines


def ended(line: Line, room: int) -> Line:
    """A line with an ellipsis behind it, within the room."""
    if width(line) < room:
        return (*line, ("…", MUTED))
    return fit((*line, (" ", MUTED)), room)
