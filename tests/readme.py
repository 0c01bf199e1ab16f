"""The parts of the documents that are made from the program: `python -m tests.readme` writes
them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from textual.binding import Binding

from lossmon.config import SETTINGS
from lossmon.readers import registry
from lossmon.ui.key_catalogue import catalogue

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
KEYS = ROOT / "docs" / "KEYS.md"


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
    "colon": ":",
}
"""How keys with a name look on a keyboard."""


def views() -> str:
    """The table of the keys that open a view or work in all of them."""
    groups = catalogue()
    return _table([*groups["Views"], *groups["lossmon"]])


def keys() -> str:
    """Every key, by the view that it works in."""
    tables = [f"## {title}\n\n{_table(found)}" for title, found in catalogue().items()]
    return "\n\n".join(tables)


def _table(bindings: Iterable[Binding]) -> str:
    rows = [f"| {_keys(one.key)} | {one.tooltip} | `{one.id}` |" for one in bindings]
    return "\n".join(["| key | what it does | id |", "|---|---|---|", *rows])


def _keys(spelled: str) -> str:
    return " ".join(f"`{NAMES.get(key, key)}`" for key in spelled.split(","))


def formats() -> str:
    """The table of formats."""
    by_source: dict[str, list[str]] = {}
    for one in registry.formats():
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


BLOCKS = {
    README: {"views": views, "formats": formats, "settings": settings},
    KEYS: {"keys": keys},
}
"""What is made, by document and name."""


def written(text: str) -> dict[str, str]:
    """The blocks that stand in a document, by name."""
    found = re.findall(r"<!-- (\w+): begin[^>]*-->\n(.*?)<!-- \1: end -->", text, re.DOTALL)
    return {name: body.strip() for name, body in found}


def main() -> None:
    """Write the blocks into their documents."""
    for path, blocks in BLOCKS.items():
        text = path.read_text(encoding="utf-8")
        for name, make in blocks.items():
            pattern = rf"(<!-- {name}: begin[^>]*-->\n).*?(<!-- {name}: end -->)"
            body = make() + "\n"
            text = re.sub(
                pattern, lambda match, body=body: match[1] + body + match[2], text, flags=re.DOTALL
            )
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
