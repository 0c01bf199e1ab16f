"""Runs in an S3 server on this machine, through fsspec."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.remote import source as module
from lossmon.remote.source import RemoteSource, open_source
from tests.monitor.logs import falling
from tests.services.program import wait_until
from tests.services.s3 import S3Server


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    server = S3Server(tmp_path / "s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "INTERVAL", 0.1)
    monkeypatch.setattr(module, "SHARE", 0.5)
    yield server
    server.stop()


def log(last: int) -> bytes:
    return "".join(falling(1, last + 1)).encode()


def steps(source: RemoteSource) -> dict[str, int | None]:
    return {run.name: run.step for run in source.drain().runs}


def test_objects_that_are_replaced_by_longer_ones_are_followed(
    server: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        server.write(f"bucket/runs/{name}/trainer_log.jsonl", log(50))
    server.write("bucket/runs/a/checkpoint-50/model.safetensors", b"x" * 100_000)
    server.write("bucket/runs-elsewhere/c/trainer_log.jsonl", log(50))
    source = open_source("s3://bucket/runs/", Config(), threading.Event())
    try:
        assert steps(source) == {"a": 50, "b": 50}
        first = source.poll(1.0).runs[0]
        assert str(first.path) == "s3:/bucket/runs/a"
        assert source._mirror.copied < 50_000
        server.write("bucket/runs/a/trainer_log.jsonl", log(60))
        server.write("bucket/runs/c/trainer_log.jsonl", log(10))
        wait_until(lambda: steps(source) == {"a": 60, "b": 50, "c": 10}, "the new points")
    finally:
        source.stop()
    assert main(["check", "s3://bucket/runs/b", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert (run["run"], run["path"], run["step"]) == ("b", "s3:/bucket/runs/b", 50)
    assert main(["check", "s3://no-such-bucket/runs"]) == 3
    assert "no-such-bucket" in capsys.readouterr().err


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import lossmon.remote.store_place as place

    monkeypatch.setattr(place, "find_spec", lambda name: None if name == "s3fs" else object())
    with pytest.raises(ConfigError, match=r"s3:// needs s3fs; pip install 'lossmon\[remote\]'"):
        open_source("s3://bucket/runs", Config(), threading.Event())
