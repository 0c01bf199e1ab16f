"""Packages as users get them: built, installed and run with every Python that is here.

`python -m tests.packages` (`make packages`) builds the sdist, the wheel from it, installs both in
new environments and reads a log with them. It prints one line per Python, and fails if one does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

SOURCES = ("lossmon", "themes", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
"""What the packages are built from."""

VERSIONS = ("3.11", "3.12", "3.13", "3.14")

EPOCH = "1700000000"
"""Time that the files in the packages get, in seconds since the Unix epoch."""


def copied(directory: Path) -> Path:
    """The sources without what is not in the repository, copied into a new directory."""
    for name in SOURCES:
        source, target = ROOT / name, directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return directory


def built(directory: Path) -> tuple[Path, Path]:
    """The sdist and the wheel of a copy of the sources."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--target", "wheel"],
        cwd=directory,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        check=True,
        capture_output=True,
    )
    (sdist,), (wheel,) = (directory.glob(f"dist/*{suffix}") for suffix in (".tar.gz", ".whl"))
    return sdist, wheel


def pythons() -> Iterator[tuple[str, str | None]]:
    """Each version with its interpreter that works, None where there is none."""
    for version in VERSIONS:
        places = [shutil.which(f"python{version}")]
        places += map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"))
        yield version, next((one for one in places if one and _works(one, version)), None)


def _works(python: str, version: str) -> bool:
    asked = [python, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == version


def tried(python: str, package: Path, directory: Path) -> str:
    """Install a package into a new environment and use it; what went wrong, or empty."""
    log = str(ROOT / "tests" / "data" / "llamafactory" / "sft")
    program = str(directory / "bin" / "lossmon")
    steps: Sequence[Sequence[str]] = (
        [python, "-m", "venv", str(directory)],
        [str(directory / "bin" / "pip"), "install", "--quiet", str(package)],
        [program, "--version"],
        [program, "check", log, "--json"],
        [program, log, "--once", "--no-hardware"],
        [program, "doctor", log],
    )
    for step in steps:
        ended = subprocess.run(
            step, cwd=directory.parent, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            return f"{' '.join(step)}: {ended.stderr[-500:]}"
    return ""


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        sdist, _ = built(copied(base / "sources"))
        with tarfile.open(sdist) as archive:
            archive.extractall(base / "unpacked", filter="data")
        _, wheel = built(next((base / "unpacked").iterdir()))
        failed = False
        for version, python in pythons():
            if python is None:
                print(f"{version}  not here")
                continue
            for package in (wheel, sdist):
                why = tried(python, package, base / f"{version}-{package.suffix}")
                failed = failed or bool(why)
                print(f"{version}  {package.name}  {why or 'works'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
