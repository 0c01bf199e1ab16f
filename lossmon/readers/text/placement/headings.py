"""Headings of evaluations, which give the lines below them their split."""

from __future__ import annotations

from functools import partial

from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.words import SAYS_SPLIT
from lossmon.readers.text.templates import Template

MOST = 512
"""Templates remembered with other tags: a log has a handful below its headings."""


BATCHES = "batches"
"""Split of lines about the batches of an evaluation, which sums them up below another heading."""


class SectionHeading:
    """Remembers a heading (`Test Error:`) and adds its split to the tags below it.

    The heading holds until a line has a position, or the same metrics come again.
    """

    def __init__(self) -> None:
        self._split = ""
        self._seen: set[Template] = set()
        self._renamed: dict[tuple[Template, str], Template] = {}

    @property
    def holds(self) -> bool:
        """Whether the next lines are below a heading."""
        return bool(self._split)

    def begin(self, split: str) -> None:
        """Note a heading; that of a training ends the one before."""
        self._split = "" if split == "train" else split
        self._seen.clear()

    def renamed(self, template: Template) -> Template | None:
        """Return the template for a line of this shape here; None for one about a batch."""
        parsed = template.parsed
        if not self._split or not template.values:
            return template
        if self._split == BATCHES and parsed.position.scale is Scale.NONE:
            return None
        if parsed.position.scale is not Scale.NONE or parsed.split or template in self._seen:
            self._split = ""
            return template
        self._seen.add(template)
        known = self._renamed.get((template, self._split))
        if known is None:
            if len(self._renamed) >= MOST:
                self._renamed.clear()
            known = template.renamed(partial(_under, self._split), self._split)
            self._renamed[template, self._split] = known
        return known


def _under(split: str, tag: str) -> str:
    return tag if SAYS_SPLIT.search(tag) else f"{split}/{tag}"
