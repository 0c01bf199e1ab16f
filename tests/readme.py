"""The parts of the documents that are made from the program: `python -m tests.readme` writes
them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from pathlib import Path

from textual.binding import Binding

from lossmon.alerts.channels import CHANNELS
from lossmon.config import SETTINGS
from lossmon.ui.key_catalogue import catalogue
from tests import source_docs

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
KEYS = ROOT / "docs" / "KEYS.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
ALERTS = ROOT / "docs" / "alerts.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
FORMATS = ROOT / "docs" / "formats.md"
VERDICTS = ROOT / "docs" / "verdicts.md"
GLOSSARY = ROOT / "docs" / "glossary.md"


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
    "comma": ",",
    "number_sign": "#",
}
"""How keys with a name look on a keyboard."""


def badges() -> str:
    """The words of every badge about curves, in the order of their page."""
    words = re.findall(r"^## `\w+`: (.+)$", source_docs.verdicts(), re.MULTILINE)
    return ", ".join(f"`{word}`" for word in words)


def keys() -> str:
    """Every key, by the view that it works in."""
    tables = [f"## {title}\n\n{_table(found)}" for title, found in catalogue().items()]
    return "\n\n".join(tables)


def _table(bindings: Iterable[Binding]) -> str:
    rows = [f"| {_keys(one.key)} | {one.tooltip} | `{one.id}` |" for one in bindings]
    return "\n".join(["| key | what it does | id |", "|---|---|---|", *rows])


def _keys(spelled: str) -> str:
    return " ".join(f"`{NAMES.get(key, key)}`" for key in spelled.split(","))


def settings() -> str:
    """The table of settings."""
    rows = [
        f"| `{s.name}` | `{str(s.default).lower()}` | {s.meaning} | {s.allowed} |" for s in SETTINGS
    ]
    return "\n".join(["| setting | default | meaning | allowed |", "|---|---|---|---|", *rows])


def channels() -> str:
    """The table of alert channels, with the keys of their settings."""
    rows = []
    for row in CHANNELS:
        flag = (
            f"`--{row.name}{' ' + row.key.upper() if row.key else ''}`" if row.paced else "always"
        )
        given = inspect.signature(row.load()).parameters.values()
        keys = ", ".join(f"`{one.name}`" for one in given) or "–"
        rows.append(f"| `{row.name}` | {flag} | {row.summary} | {keys} |")
    head = ["| channel | flag | what it does | settings besides `severity` and `quiet_hours` |"]
    return "\n".join([*head, "|---|---|---|---|", *rows])


HEADLESS = (
    ("the whole screen as text", "lossmon PATH --once"),
    ("the verdict, for people or as JSON", "lossmon check PATH"),
    ("annotations of GitHub Actions", "lossmon check PATH --format github"),
    ("a line for the status bar of tmux", "lossmon check PATH --format tmux"),
    ("metrics for a textfile collector", "lossmon check PATH --format openmetrics"),
    ("wait for an end or a verdict", "lossmon check PATH --wait"),
    ("a line per change", "lossmon check PATH --watch --json"),
    ("alerts, and early stopping", "lossmon watch PATH"),
    ("does every alert channel work?", "lossmon notify --test"),
    ("metrics for Prometheus to scrape", "lossmon exporter PATH"),
    ("the hardware, and findings about it", "lossmon hardware PATH"),
    ("the hardware of a compute node", "lossmon record PATH"),
    ("the output of a Slurm job", "lossmon check --job ID"),
    ("curves as text", "lossmon plot PATH"),
    ("points for TensorBoard, as CSV or JSON lines", "lossmon export PATH"),
    ("a page of HTML", "lossmon report PATH"),
    ("the screen in a browser", "lossmon serve PATH"),
    ("what is read, and why", "lossmon explain PATH"),
    ("what works here", "lossmon doctor"),
)
"""What works without a terminal, and how."""


def headless() -> str:
    """The table of what works without a terminal."""
    rows = [f"| {what} | `{how}` |" for what, how in HEADLESS]
    return "\n".join(["| without a terminal | |", "|---|---|", *rows])


BLOCKS = {
    README: {"badges": badges},
    SETTINGS_PAGE: {"settings": settings},
    KEYS: {"keys": keys},
    ALERTS: {"headless": headless, "channels": channels},
    ARCHITECTURE: {"rooms": source_docs.rooms},
    FORMATS: {"sources": source_docs.sources},
    VERDICTS: {"verdicts": source_docs.verdicts},
    GLOSSARY: {"glossary": source_docs.glossary},
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
