"""Lines without a split of their own below one that announces an evaluation."""

from __future__ import annotations

from functools import partial

from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.grammar.words import SAYS_SPLIT
from lossmon.readers.text.templates import Template

MOST = 512
"""Shapes remembered with other names: a log has a handful below its headings."""


class SectionHeading:
    """Remembers a heading (`Test Error:`) and names what stands below it.

    The heading holds until a line says where it stands, or the same metrics come again.
    """

    def __init__(self) -> None:
        self._split = ""
        self._seen: set[Template] = set()
        self._renamed: dict[tuple[Template, str], Template] = {}

    @property
    def holds(self) -> bool:
        """Whether the next lines stand below a heading."""
        return bool(self._split)

    def head(self, split: str) -> None:
        """Take a heading."""
        self._split = split
        self._seen.clear()

    def name(self, template: Template) -> Template:
        """How to read a line of this shape here."""
        parsed = template.parsed
        if not self._split or not template.values:
            return template
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
