"""Losses of 0, denormal, huge and negative reach the reports as finite numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lossmon import cli
from lossmon.diagnosis.advice import badge_of
from lossmon.locale import languages

RUNS = {
    "memorised": [0.9, 0.4, *[0.0] * 30, 2.3, *[0.0] * 10],
    "denormal": [5e-324 * (3 - at % 3) for at in range(60)],
    "huge": [1e300 * (-1) ** at for at in range(60)],
    "negative": [-1.0 - at for at in range(60)],
    "exploded": [*[1e-300] * 30, *[1e300] * 30],
    "good": [2.0 - 0.02 * at for at in range(60)],
}


@pytest.fixture
def logs(tmp_path: Path) -> list[str]:
    paths = []
    for name, losses in RUNS.items():
        path = tmp_path / f"{name}.csv"
        rows = "".join(f"{step},{loss!r},{loss!r}\n" for step, loss in enumerate(losses, start=1))
        path.write_text("step,loss,eval_loss\n" + rows, encoding="utf-8")
        paths.append(str(path))
    return paths


def refuse(constant: str) -> float:
    raise AssertionError(f"{constant} in a record")


def test_every_run_is_judged_and_written_as_strict_json(
    logs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["check", *logs, "--json"])
    out, err = capsys.readouterr()
    records = [json.loads(line, parse_constant=refuse) for line in out.splitlines()]
    assert {record["run"].removesuffix(".csv") for record in records} == set(RUNS)
    assert "not_judged" not in {record["verdict"]["code"] for record in records}
    assert err == ""


@pytest.mark.parametrize("language", languages())
def test_every_run_is_put_in_words(
    logs: list[str], language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["check", *logs, "--history", "--lang", language])
    out = capsys.readouterr().out
    assert all(f"{name}.csv" in out for name in RUNS)
    assert badge_of("not_judged", language=language) not in out
