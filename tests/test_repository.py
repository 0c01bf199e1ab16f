"""What the repository promises to contributors, beside the program itself."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml

from tests.readme import ROOT

MODULES = sorted((ROOT / "lossmon").rglob("*.py"))


def test_no_class_name_stands_in_two_packages() -> None:
    """A name that means two things sends a reader to the wrong one."""
    places: dict[str, set[Path]] = defaultdict(set)
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(path.parent)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_no_constant_of_a_module_is_defined_twice() -> None:
    """The second definition would hold for the code above it, too."""
    doubled = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in MODULES
        for name, count in Counter(_constants(path)).items()
        if count > 1
    }
    assert not doubled


def _constants(path: Path) -> list[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assigned = [one for one in body if isinstance(one, ast.Assign)]
    targets = [target for one in assigned for target in one.targets]
    return [one.id for one in targets if isinstance(one, ast.Name)]


def test_every_package_and_module_says_what_it_is_for() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


@pytest.mark.parametrize("name", ["format", "verdict", "bug"])
def test_an_issue_template_asks_for_what_is_needed(name: str) -> None:
    template = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text())
    fields = [one for one in template["body"] if one["type"] != "markdown"]
    assert template["name"] and template["description"]
    assert len({one["id"] for one in fields}) == len(fields)
    assert any(one.get("validations", {}).get("required") for one in fields)


def test_the_hooks_run_what_make_test_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    makefile = (ROOT / "Makefile").read_text()
    test = makefile.partition("\ntest:")[2].partition("\n\n")[0].replace("$(BIN)", ".venv/bin")
    for hook in (hook for repo in config["repos"] for hook in repo["hooks"]):
        assert hook["entry"].split(" ")[0] in test


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert not {page for page in pages if f"]({page})" not in index}
