"""A file is claimed by the most specific format that knows it, from its first bytes alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from lossmon.readers import registry
from lossmon.readers.format import HEAD

LF = b'{"current_steps": 20, "total_steps": 200, "loss": 2.8, "lr": 0.005, "epoch": 1.7}\n'


def source_of(path: Path) -> str | None:
    found = registry.detect(path)
    return found.source if found else None


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("trainer_log.jsonl", LF, "llamafactory"),
        ("trainer_state.json", b'{"log_history": [], "global_step": 1}', "hf_trainer"),
        ("metrics.jsonl", b'{"step": 1, "loss": 2.0}\n', "jsonl"),
        ("log.csv", b"step,loss\n1,2.0\n", "csv"),
        ("train.log", b"step 250: train loss 2.5017, val loss 2.6037\n", "text"),
        ("nohup.out", b"iter 10: loss 2.6073, time 474.04ms\n", "text"),
        ("model.safetensors", b"\x00" * 64, None),
        ("weights.pt", b"PK\x03\x04", None),
        ("image.png", b"\x89PNG", None),
    ],
)
def test_the_most_specific_format_claims_a_file(
    tmp_path: Path, name: str, content: bytes, source: str | None
) -> None:
    (tmp_path / name).write_bytes(content)
    assert source_of(tmp_path / name) == source


def test_every_format_is_listed_once_with_a_title() -> None:
    titles = registry.recognised()
    assert len(titles) == len(set(titles))
    assert {one.title for one in registry.formats()} == set(titles)


def test_what_cannot_be_read_as_a_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.log")
    (tmp_path / "dir.log").mkdir()
    (tmp_path / "link.log").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(tmp_path / "out.log"))
        for path in (*tmp_path.iterdir(), tmp_path / "missing.log"):
            assert registry.detect(path) is None


def test_only_the_head_of_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(b"x" * (HEAD * 3))
    head = registry.read_head(path)
    assert head is not None
    assert len(head) == HEAD


def test_importing_the_registry_loads_no_reader() -> None:
    code = (
        "import sys; import lossmon.readers.registry;"
        "print([m for m in sys.modules if m.startswith('lossmon.readers.')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "text" not in out.stdout.replace("lossmon.readers.", "").split("'")


def test_records_of_unknown_names_are_a_log_if_their_steps_rise(tmp_path: Path) -> None:
    log = tmp_path / "zeta.jsonl"
    log.write_text("".join(f'{{"step": {n}, "zeta": 0.5}}\n' for n in (1, 5, 9)))
    found = registry.detect(log)
    assert found is not None and found.source == "jsonl"
    for records in (
        '{"step": 1, "zeta": 0.5}\n',
        '{"id": 1, "zeta": 0.5}\n{"id": 2, "zeta": 1}\n' * 2,
    ):
        log.write_text(records)
        assert registry.detect(log) is None


LAZY = {
    function.__qualname__
    for one in registry.formats()
    for function in (one.claims, one.open, one.container)
    if function is not None and ":" in function.__qualname__
}


@pytest.mark.parametrize("reference", sorted(LAZY))
def test_what_a_row_names_is_there(reference: str) -> None:
    module, _, name = reference.partition(":")
    assert callable(getattr(import_module(module), name))
