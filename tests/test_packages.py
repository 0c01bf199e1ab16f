"""What users get: the same bytes from every build, nothing that does not belong there, known
licences, and versions of what the tests need that fit what lossmon asks for."""

from __future__ import annotations

import os
import re
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.licences import PERMISSIVE, licence, licences, rows
from tests.packages import ROOT, built, copied


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist and the wheel."""
    return built(copied(tmp_path_factory.mktemp("first")))


def test_two_builds_are_equal(packages: tuple[Path, Path], tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        again = copied(tmp_path / "elsewhere")
    finally:
        os.umask(before)
    for package, other in zip(packages, built(again), strict=True):
        assert package.read_bytes() == other.read_bytes(), package.name


def test_the_packages_hold_the_program_and_nothing_else(packages: tuple[Path, Path]) -> None:
    sdist, wheel = packages
    with tarfile.open(sdist) as archive:
        listed = [name.partition("/")[2] for name in archive.getnames()]
    own = ("lossmon/", "themes/")
    rest = {name for name in listed if not name.startswith(own)}
    wanted = {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert rest <= wanted and {"README.md", "LICENSE"} <= rest
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    rest = {name.partition("/")[0] for name in names if not name.startswith("lossmon/")}
    assert len(rest) == 1 and rest.pop().endswith(".dist-info")
    assert {"lossmon/py.typed", "lossmon/locale/zh.toml", "lossmon/ui/app.tcss"} <= {*names}
    assert [name for name in names if name.startswith("lossmon/themes/")]
    assert not [name for name in (*listed, *names) if re.search(r"(^|/)tests?/|__pycache__", name)]


def test_the_lock_fits_what_is_asked_for() -> None:
    pins = re.findall(
        r"^([\w.-]+)==([\w.+]+)(.*)", (ROOT / "requirements-dev.lock").read_text(), re.M
    )
    locked: dict[str, set[str]] = {}
    for name, version, _ in pins:
        locked.setdefault(canonicalize_name(name), set()).add(version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["web"]]
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    asked += [line for line in lines if line and not line.startswith("#")]
    for one in map(Requirement, asked):
        versions = locked.get(canonicalize_name(one.name))
        assert versions, f"{one.name} is not in requirements-dev.lock; run `make lock`"
        assert all(one.specifier.contains(version) for version in versions), f"{one}: {versions}"


def test_what_lossmon_needs_has_a_permissive_licence() -> None:
    found = licences()
    assert {"textual", "numpy", "tensorboard"} <= found.keys()
    assert {name: text for name, text in found.items() if not PERMISSIVE.search(text)} == {}
    page = (ROOT / "docs" / "licences.md").read_text()
    assert [row for row in rows() if row not in page] == [], "run python -m tests.licences"


def test_a_licence_is_read_from_the_metadata() -> None:
    assert licence(metadata.metadata("numpy")).startswith("BSD")
