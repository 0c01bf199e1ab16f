"""Licences of what lossmon needs, by the metadata of what is installed.

`python -m tests.licences` prints the table of docs/licences.md.
"""

from __future__ import annotations

import re
from email.message import Message
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("notify", "prometheus", "web")
"""Extras that the tests install as a whole."""

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense|0BSD|CC0|Zlib|HPND|MPL-2\.0|"
    r"Mozilla Public License 2\.0)\b",
    re.IGNORECASE,
)
"""Licences that allow any use. The MPL asks only that changes of its own files are published."""

_CLASSIFIER = "License :: OSI Approved :: "


def licence(described: Any) -> str:
    """The licence of a distribution, as one line."""
    assert isinstance(described, Message)
    spelled = described.get("License-Expression") or ""
    names = [
        one.removeprefix(_CLASSIFIER)
        for one in described.get_all("Classifier") or ()
        if one.startswith(_CLASSIFIER)
    ]
    given = (described.get("License") or "").strip().split("\n")[0]
    return spelled or " and ".join(names) or given[:80] or "unknown"


def licences() -> dict[str, str]:
    """The licence of each distribution that lossmon or an extra of it needs here."""
    found: dict[str, str] = {}
    waiting = [("lossmon", frozenset(EXTRAS))]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = one = waiting.pop()
        if one in done:
            continue
        done.add(one)
        distribution = metadata.distribution(name)
        found[name] = licence(distribution.metadata)
        for requirement in map(Requirement, distribution.requires or ()):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                needed = canonicalize_name(requirement.name)
                waiting.append((needed, frozenset(requirement.extras)))
    del found["lossmon"]
    return dict(sorted(found.items()))


def rows() -> list[str]:
    """The rows of the table."""
    return [f"| {name} | {text} |" for name, text in licences().items()]


if __name__ == "__main__":
    print("\n".join(rows()))
