"""The parts of the README that are made from the program: `python -m tests.readme` writes them."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from lossmon.config import SETTINGS
from lossmon.readers.registry import FORMATS
from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp

README = Path(__file__).parent.parent / "README.md"


NAMES = {
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}
"""How keys with a name look on a keyboard."""


class _Nothing:
    """A monitor without runs: the keys do not depend on any."""

    def poll(self, budget: float) -> Snapshot:
        return Snapshot()


def keys() -> str:
    """The table of keys."""
    bindings = LossmonApp(_Nothing(), threading.Event()).all_bindings
    rows = [f"| {_keys(one.key)} | {one.tooltip} | `{one.id}` |" for one in bindings]
    return "\n".join(["| key | what it does | id |", "|---|---|---|", *rows])


def _keys(spelled: str) -> str:
    return " ".join(f"`{NAMES.get(key, key)}`" for key in spelled.split(","))


def formats() -> str:
    """The table of formats."""
    by_source: dict[str, list[str]] = {}
    for one in FORMATS:
        by_source.setdefault(one.source, []).append(one.title)
    rows = [
        f"| `{source}` | {'; '.join(dict.fromkeys(titles))} |"
        for source, titles in by_source.items()
    ]
    return "\n".join(["| source | what is read |", "|---|---|", *rows])


def settings() -> str:
    """The table of settings."""
    rows = [
        f"| `{s.name}` | `{str(s.default).lower()}` | {s.meaning} | {s.allowed} |" for s in SETTINGS
    ]
    return "\n".join(["| setting | default | meaning | allowed |", "|---|---|---|---|", *rows])


BLOCKS = {"keys": keys, "formats": formats, "settings": settings}


def written(text: str) -> dict[str, str]:
    """The blocks that stand in a README, by name."""
    found = re.findall(r"<!-- (\w+): begin[^>]*-->\n(.*?)<!-- \1: end -->", text, re.DOTALL)
    return {name: body.strip() for name, body in found}


def main() -> None:
    """Write the blocks into the README."""
    text = README.read_text(encoding="utf-8")
    for name, make in BLOCKS.items():
        pattern = rf"(<!-- {name}: begin[^>]*-->\n).*?(<!-- {name}: end -->)"
        body = make() + "\n"
        text = re.sub(
            pattern, lambda match, body=body: match[1] + body + match[2], text, flags=re.DOTALL
        )
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
