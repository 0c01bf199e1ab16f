"""A machine with fake GPUs: a library compiled here, loaded by the real binding."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest

SOURCE = Path(__file__).with_name("fake_nvml.c")


class FakeNvml:
    """The driver of a test: what it answers is what its script says."""

    def __init__(self, library: Path, script: Path) -> None:
        self.library = library
        self.script = script
        self.says()

    def says(self, *lines: str) -> None:
        """Answer so from the next call on."""
        other = self.script.with_suffix(".new")
        other.write_text("".join(line + "\n" for line in lines))
        other.replace(self.script)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what compiles the library, with a macro defined or none, once each."""
    folder = tmp_path_factory.mktemp("nvml")

    def compile_library(macro: str = "") -> Path:
        library = folder / macro / "libnvidia-ml.so.1"
        if not library.exists():
            compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
            if compiler is None:
                pytest.fail("the hardware tests compile a fake NVML: they need a C compiler (cc)")
            library.parent.mkdir(exist_ok=True)
            define = [f"-D{macro}"] if macro else []
            subprocess.run(
                [compiler, "-shared", "-fPIC", "-Wall", *define, "-o", library, SOURCE], check=True
            )
        return library

    return compile_library


@pytest.fixture
def driver(
    request: pytest.FixtureRequest,
    compiled: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> FakeNvml:
    """A driver for two GPUs that the real pynvml uses; parametrize it indirectly with a macro."""
    fake = FakeNvml(compiled(getattr(request, "param", "")), tmp_path / "nvml-script")
    monkeypatch.setenv("FAKE_NVML", str(fake.script))
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(fake.library)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return fake
