"""Reader for the progress bars in a log: their newest state, and the points of their metrics."""

from __future__ import annotations

from collections.abc import Iterator

from lossmon.readers.text.ledger import Ledger
from lossmon.readers.text.progress_bars import Redraws, condensed, keras, may_have_tqdm, tqdm
from lossmon.readers.text.templates import DROPPED, Groups, Match, Template, TemplateCache

PLAIN_BARS = 256
"""Shapes of bars without metrics that are remembered; a log has a handful."""


_RATES = ("it/s]", "s/it]")
"""How a bar without metrics ends."""


class Bars:
    """Reads the states of progress bars.

    Attributes:
        state: Newest state that was drawn, empty if its line has ended.
    """

    def __init__(self, templates: TemplateCache, ledger: Ledger) -> None:
        self.state = ""
        self._templates = templates
        self._ledger = ledger
        self._redraws = Redraws()
        self._epoch_end: tuple[Template, Groups] | None = None
        """Last state of a Keras bar whose line has not ended."""
        self._plain: set[str] = set()
        """Ends of bars without metrics."""
        self._match: tuple[Template, Match] | None = None
        """Shape of the last bar with metrics."""
        self._full = ""
        """The last full bar that went to the log pane."""

    @property
    def holding(self) -> bool:
        """Whether a state waits for the next one, or for a line of text."""
        return self._redraws.holding

    def newest(self, frames: list[str]) -> Iterator[str]:
        """Yield the states worth reading: of bars without metrics, only the last one matters."""
        known, newest = self._plain, ""
        waits = self._ledger.trainer.waiting
        for frame in frames:
            if (
                not waits
                and "oss" not in frame
                and known
                and (
                    # Two substring tests replace the translation at a fifth of its cost.
                    (frame.endswith(_RATES) and "=" not in frame and "|" in frame)
                    or frame[frame.rfind("|") :].translate(DROPPED) in known
                )
            ):
                newest = frame
                continue
            if newest:
                self._ledger.trainer.last_bar = self.state = newest
                newest = ""
            yield frame
            waits = self._ledger.trainer.waiting
        if newest:
            self._ledger.trainer.last_bar = self.state = newest

    def read(self, frame: str, ended: bool) -> str | None:
        """Read a state of a bar.

        Args:
            frame: The text that was drawn.
            ended: It stays, because its line has ended.

        Returns:
            Text of another stream after the bar, None if the text is not a bar.
        """
        if may_have_tqdm(frame) and (rest := self._tqdm(frame, ended)) is not None:
            return rest
        parsed = keras(frame)
        if parsed is None:
            return None
        over, line = parsed
        self.state = "" if ended else frame
        # Its values are running means, which count once the epoch is over.
        found = self._templates.read(line) if over else None
        if found is not None and found[0].values:
            self._epoch_end = found
        return ""

    def redrawn(self, template: Template, row: Groups) -> None:
        """Add a state of a line of text that is redrawn repeatedly, as a bar is."""
        self._emit(self._redraws.add(template, row))

    def settle(self) -> None:
        """Emit what the bars show, because a line of text follows."""
        self._emit(self._redraws.drain())

    def end_line(self) -> None:
        """Emit what a Keras bar shows, now that its line has ended."""
        if self._epoch_end is not None:
            found, self._epoch_end = self._epoch_end, None
            self._emit([found])

    def is_shown(self, frame: str) -> bool:
        """Whether a bar that ended its line goes to the log pane: once, when it is full."""
        if "%|" not in frame:
            return True
        if "100%|" not in frame or frame == self._full:
            return False
        self._full = frame
        return True

    def _emit(self, rows: list[tuple[Template, Groups]]) -> None:
        for template, row in rows:
            self._ledger.add(template, [row])

    def _tqdm(self, frame: str, ended: bool) -> str | None:
        if self._again(frame, ended):
            return ""
        bar = tqdm(frame)
        if bar is None:
            return None
        own = frame[: len(frame) - len(bar.rest)] if bar.rest else frame
        self._ledger.trainer.last_bar = self.state = own
        if bar.bare:
            self._ledger.add_bar(bar.step, bar.total)
        if not bar.line:
            if not bar.rest and "|" in frame and len(self._plain) < PLAIN_BARS:
                self._plain.add(frame[frame.rfind("|") :].translate(DROPPED))
            return bar.rest
        found = self._templates.read(bar.line)
        if found is not None and found[0].values:
            self._match = found[0], found[0].match
            self._add(*found, ended)
        return bar.rest

    def _again(self, frame: str, ended: bool) -> bool:
        """Read a bar with metrics by the template of the previous one."""
        if self._match is None or self._ledger.trainer.waiting:
            return False
        template, match = self._match
        found = match(condensed(frame))
        if found is None:
            return False
        self._ledger.trainer.last_bar = self.state = frame
        self._add(template, template.numbers(found), ended)
        return True

    def _add(self, template: Template, row: Groups, ended: bool) -> None:
        self._emit(self._redraws.add(template, row))
        if ended and template.total >= 0 and row[template.step] == row[template.total]:
            self.settle()
