"""What the source says about itself, for the documents that are made from it."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import lossmon.locale
from lossmon import types
from lossmon.diagnosis.rules import RULES, Rule, VerdictPace
from lossmon.readers import registry

PACKAGE = Path(types.__file__).parent.parent


@cache
def _tree(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def _constants(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Value and docstring of each documented constant of a module."""
    found = {}
    for node, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(after)
            if text and node.targets[0].id.isupper():
                found[node.targets[0].id] = ast.unparse(node.value), text
    return found


def _text(node: ast.AST) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return (
        " ".join(node.value.value.split()) if is_text and isinstance(node.value.value, str) else ""
    )


def _used(tree: ast.Module, name: str) -> list[str]:
    """Names of the module that a function uses, directly or through other functions."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    seen: dict[str, None] = {}
    waiting = [name]
    while waiting:
        for node in ast.walk(functions[waiting.pop()]):
            if isinstance(node, ast.Name) and node.id not in seen:
                seen[node.id] = None
                if node.id in functions:
                    waiting.append(node.id)
    return list(seen)


def thresholds(rule: Rule) -> dict[str, tuple[str, str]]:
    """The thresholds of a rule by name: value, and meaning with reason."""
    path = inspect.getsourcefile(rule.check)
    assert path is not None
    tree = _tree(path)
    used = set(_used(tree, rule.check.__name__))
    return {name: row for name, row in _constants(tree).items() if name in used}


@cache
def _advice() -> dict[str, Any]:
    text = (Path(lossmon.locale.__file__).parent / "en.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["advice"]
    return found


PACES = {
    VerdictPace.SLOW: "waits until it held while the run grew by a twelfth",
    VerdictPace.AT_ONCE: "becomes the badge at once",
    VerdictPace.PASSING: "is judged more often while it lasts",
    VerdictPace.BY_EVALS: "changes only with new evals",
    VerdictPace.STUCK: "does not replace another name for a loss that does not move",
}
"""Paces in a sentence about the verdict."""


def verdicts() -> str:
    """A section per verdict of the engine, and those that need no curve."""
    ruled = [_verdict(rule.code, rule) for rule in RULES]
    others = [_verdict(code, None) for code in _advice() if code not in {r.code for r in RULES}]
    return "\n\n".join([*ruled, *others])


def _verdict(code: str, rule: Rule | None) -> str:
    texts = _advice()[code]
    parts = [f"## `{code}`: {texts['badge']}"]
    if rule is not None:
        parts.append(f"**Rule.** {inspect.getdoc(rule.check)}")
        paces = [text for pace, text in PACES.items() if pace in rule.pace]
        if paces:
            parts.append(f"**Pace.** It {' and '.join(paces)}.")
    parts.append(f"**Meaning.** {texts['meaning']}")
    others = [one for one in texts.get("variants", {}).values() if "badge" in one]
    if others:
        said = (f"- `{one['badge']}`: {one.get('meaning', texts['meaning'])}" for one in others)
        parts.append("\n".join(["**Other badges.**\n", *said]))
    if texts.get("could_also_be"):
        parts.append(f"**Could also be** {texts['could_also_be']}")
    if texts.get("would_change_if"):
        parts.append(f"**Would change if** {texts['would_change_if']}")
    parts.append("**Next steps.**\n\n" + "\n".join(f"- {step}" for step in texts["remedies"]))
    if rule is not None and (rows := thresholds(rule)):
        parts.append(_threshold_table(rows))
    return _braced("\n\n".join(parts))


def _threshold_table(rows: dict[str, tuple[str, str]]) -> str:
    lines = [f"| `{name}` | `{value}` | {text} |" for name, (value, text) in rows.items()]
    return "\n".join(["| threshold | value | meaning |", "|---|--:|---|", *lines])


def _braced(text: str) -> str:
    """Show the places of facts as words: `{best_step}` is filled with the fact `best_step`."""
    return re.sub(r"\{(\w+)\}", r"*\1*", text)


def rooms() -> str:
    """The packages, with what their docstrings say of them."""
    rows = []
    for path in sorted(PACKAGE.rglob("__init__.py")):
        name = path.parent.relative_to(PACKAGE.parent).as_posix()
        text = ast.get_docstring(_tree(str(path))) or ""
        if text and name != PACKAGE.name:
            summary = " ".join(text.partition("\n\n")[0].split())
            rows.append(f"| `{name}/` | {summary} |")
    return "\n".join(["| package | purpose |", "|---|---|", *rows])


def glossary() -> str:
    """The types that flow from the files to the screen, module by module."""
    return "\n\n".join(_vocabulary(module) for module in _modules())


def _modules() -> Iterator[ModuleType]:
    for name in ("run", "points", "diagnosis", "hardware"):
        yield __import__(f"lossmon.types.{name}", fromlist=["*"])


def _vocabulary(module: ModuleType) -> str:
    path = inspect.getsourcefile(module)
    assert path is not None
    tree = _tree(path)
    parts = [f"## {(ast.get_docstring(tree) or '').rstrip('.')}"]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    parts += [_term(node) for node in classes if not node.name.startswith("_")]
    return "\n\n".join(parts)


def _term(node: ast.ClassDef) -> str:
    text = ast.get_docstring(node) or ""
    summary, _, rest = text.partition("Attributes:")
    lines = [f"### {node.name}", "", " ".join(summary.split())]
    rows = [f"- **{name}**: {meaning}" for name, meaning in _attributes(rest)]
    return "\n".join([*lines, *([""] if rows else []), *rows, *_members(node)])


def _attributes(text: str) -> list[tuple[str, str]]:
    entries = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\w+: |\Z)", text, re.DOTALL | re.MULTILINE)
    return [(name, " ".join(meaning.split())) for name, meaning in entries]


def _members(node: ast.ClassDef) -> list[str]:
    """The values of an enumeration, with their docstrings."""
    rows = []
    for one, after in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        is_value = isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)
        if is_value and isinstance(one.value.value, str) and one.value.value:
            text = _text(after)
            rows.append(f"- `{one.value.value}`{': ' + text if text else ''}")
    return ["", *rows] if rows else []


def sources() -> str:
    """Every format in the order in which it is asked about a file."""
    rows = [
        f"| `{one.source}` | {one.title} | {_names(one.names)} | {one.rank.name.lower()} |"
        for one in registry.formats()
    ]
    head = ["| source | what is read | file names | rank |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return shown + (", …" if len(names) > 5 else "")
