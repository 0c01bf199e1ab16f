"""Every way in which a log can be encoded, through the whole pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lossmon.monitor import Monitor
from lossmon.types import RunSnapshot

STEPS = range(1, 21)
TEXT = "".join(f"step {n}: train loss {3 - n / 10:.2f} caf\u00e9\n" for n in STEPS)
JSONL = "".join(f'{{"step": {n}, "loss": {3 - n / 10:.2f}, "say": "caf\u00e9"}}\n' for n in STEPS)
CSV = "step,loss,say\n" + "".join(f"{n},{3 - n / 10:.2f},caf\u00e9\n" for n in STEPS)

LOGS = {"train.log": TEXT, "metrics.jsonl": JSONL, "metrics.csv": CSV}

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 of PowerShell": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "UTF-16 big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "Latin-1": lambda text: text.encode("latin-1"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "NULs before it": lambda text: b"\0" * 9999 + text.encode(),
    "NULs behind it": lambda text: text.encode() + b"\0" * 9999,
}


def seen(tmp_path: Path, name: str, content: bytes) -> RunSnapshot:
    log = tmp_path / name
    log.write_bytes(content)
    os.utime(log, (1e9, 1e9))
    (run,) = Monitor([tmp_path]).drain().runs
    return run


def check(run: RunSnapshot) -> None:
    assert run.train_loss is not None
    assert run.train_loss.steps.tolist() == list(STEPS)
    assert (run.train_loss.values[0], run.train_loss.last) == (2.9, 1.0)
    assert run.errors == ()


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_log_is_read_in_any_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    run = seen(tmp_path, name, ENCODINGS[encoding](LOGS[name]))
    check(run)
    assert all("caf\u00e9" in line for line in run.log)


@pytest.mark.parametrize("name", ["metrics.jsonl", "metrics.csv"])
def test_a_table_may_have_the_line_ends_of_an_old_mac(tmp_path: Path, name: str) -> None:
    check(seen(tmp_path, name, LOGS[name].replace("\n", "\r").encode()))


def test_lone_carriage_returns_are_states_of_one_line(tmp_path: Path) -> None:
    run = seen(tmp_path, "train.log", TEXT.replace("\n", "\r").encode() + b"\n")
    assert run.train_loss is not None and run.train_loss.last_step == 20


def test_nuls_and_colours_within_lines_do_no_harm(tmp_path: Path) -> None:
    spoiled = TEXT.replace("train", "\0train").replace("loss", "\x1b[31mloss\x1b[0m")
    check(seen(tmp_path, "train.log", spoiled.encode()))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param("train.log", "x" * 10_000_000, id="text"),
        pytest.param("train.log", "x 1.5 " * 1_700_000, id="numbers"),
        pytest.param("metrics.jsonl", '{"args": "' + "x" * 10_000_000 + '"}', id="JSON"),
        pytest.param("metrics.jsonl", "x" * 10_000_000, id="no JSON"),
    ],
)
def test_a_first_line_of_ten_megabytes_is_stepped_over(
    tmp_path: Path, name: str, line: str
) -> None:
    check(seen(tmp_path, name, f"{line}\n{LOGS[name]}".encode()))


def test_settings_in_a_long_first_line_do_not_hide_the_log(tmp_path: Path) -> None:
    settings = ", ".join(f'"setting_{n}": "value {n}"' for n in range(400))
    check(seen(tmp_path, "log.jsonl", f'{{"config": {{{settings}}}}}\n{JSONL}'.encode()))


def test_a_long_first_line_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"args": "' + "x" * 9999)
    monitor = Monitor([tmp_path])
    assert all(not run.series for run in monitor.drain().runs)
    with log.open("a") as out:
        out.write('"}\n' + JSONL)
    monitor.rescan()
    (run,) = monitor.drain().runs
    check(run)
