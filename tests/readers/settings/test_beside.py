from __future__ import annotations

import os
from pathlib import Path

import pytest

from lossmon.readers.settings.beside import settings_beside


@pytest.mark.parametrize(
    "name, text",
    [
        ("args.yaml", "lr: 1e-3\nmodel:\n  layers: 2\n"),
        ("args.yml", "lr: 1e-3\nmodel:\n  layers: 2\n"),
        ("hparams.yaml", "lr: 1e-3\nmodel:\n  layers: 2\n"),
        ("config.yaml", "# made\nlr: '1e-3'\nmodel:\n  layers: 2\n"),
        (".hydra/config.yaml", "lr: 1e-3\nmodel:\n  layers: 2\n"),
        ("args.json", '{"lr": "1e-3", "model": {"layers": 2}}'),
        ("params.json", '{"lr": "1e-3", "model": {"layers": 2}}'),
        ("training_args.json", '{"lr": "1e-3", "model": {"layers": 2}}'),
    ],
)
def test_settings_are_read_from_text(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert settings_beside(tmp_path) == {"lr": "1e-3", "model.layers": "2"}


def test_the_settings_of_a_log_are_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text('{"lr": 1}', encoding="utf-8")
    (tmp_path / "train.log").write_text("", encoding="utf-8")
    assert settings_beside(tmp_path / "train.log") == {"lr": "1"}


def test_the_first_of_two_files_counts(tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text('{"lr": 1}', encoding="utf-8")
    (tmp_path / "config.json").write_text('{"lr": 2, "layers": 3}', encoding="utf-8")
    assert settings_beside(tmp_path) == {"lr": "1", "layers": "3"}


def test_a_directory_below_is_asked_where_the_run_has_none(tmp_path: Path) -> None:
    for name in ("checkpoint-10", "train"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "args.yaml").write_text(f"from: {name}", encoding="utf-8")
    assert settings_beside(tmp_path) == {"from": "train"}


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"lr": ', "\x00\xff", "[" * 100_000, "3"])
@pytest.mark.parametrize("name", ["args.json", "args.yaml"])
def test_what_is_broken_says_nothing(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert settings_beside(tmp_path) == {}


def test_nothing_is_constructed(tmp_path: Path) -> None:
    text = "lr: !!python/object/apply:os.system ['true']\nseed: 1\n"
    (tmp_path / "args.yaml").write_text(text, encoding="utf-8")
    assert settings_beside(tmp_path) == {"seed": "1"}


def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path) -> None:
    elsewhere = tmp_path / "secret.json"
    elsewhere.write_text('{"token": "x"}', encoding="utf-8")
    run = tmp_path / "run"
    run.mkdir()
    (run / "args.json").symlink_to(elsewhere)
    os.mkfifo(run / "config.json")
    (run / "params.json").write_text('{"a": "' + "x" * (1 << 20) + '"}', encoding="utf-8")
    assert settings_beside(run) == {}


def test_a_directory_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert settings_beside(tmp_path / "gone" / "run") == {}
