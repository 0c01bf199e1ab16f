"""Settings that trackers keep beside their points."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.monitor import Monitor
from lossmon.readers.registry import detect
from lossmon.readers.settings.reader import settings
from lossmon.types import Facts, Reader
from tests.readers.growing import DATA, read


def opened(path: Path, source: str) -> Reader:
    found = detect(path)
    assert found is not None
    assert found.source == source
    return found.open(path)


def facts_of(reader: Reader) -> Facts:
    (facts,) = read(reader).facts
    return facts


@pytest.fixture
def swanlab(tmp_path: Path) -> Path:
    path = tmp_path / "run-20261121_120032-glc831v3" / "files" / "config.yaml"
    path.parent.mkdir(parents=True)
    shutil.copy(DATA / "swanlab" / "config.yaml", path)
    return path


@pytest.fixture
def clearml(tmp_path: Path) -> Path:
    path = tmp_path / "offline-34f96f0d34084bd5ba5e0469d9289bab" / "task.json"
    path.parent.mkdir()
    shutil.copy(DATA / "clearml" / "task.json", path)
    shutil.copy(DATA / "clearml" / "metrics.jsonl", path.parent)
    return path


def test_swanlab_s_settings_tell_the_plan(swanlab: Path) -> None:
    facts = facts_of(opened(swanlab, "swanlab"))
    assert facts.total_steps == 60
    assert facts.settings == {
        "batch_size": "8",
        "lr": "0.001",
        "max_steps": "60",
        "net.dim": "64",
        "num_train_epochs": "3",
    }


def test_a_config_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    shutil.copy(DATA / "swanlab" / "config.yaml", path)
    assert detect(path) is None


def test_settings_come_once_and_again_when_they_change(swanlab: Path) -> None:
    reader = opened(swanlab, "swanlab")
    assert read(reader).facts
    assert not read(reader).facts
    swanlab.write_text("lr:\n  desc: ''\n  value: 0.5\n")
    assert facts_of(reader).settings == {"lr": "0.5"}


def test_clearml_s_task_tells_name_and_settings(clearml: Path) -> None:
    facts = facts_of(opened(clearml, "clearml"))
    assert (facts.name, facts.finished) == ("bold run", False)
    assert facts.settings == {"batch": "8", "lr": "0.001", "net/dim": "4"}


def test_a_session_of_clearml_has_ended_when_it_is_packed(clearml: Path) -> None:
    reader = opened(clearml, "clearml")
    read(reader)
    clearml.parent.with_name(clearml.parent.name + ".zip").touch()
    assert facts_of(reader).finished


def test_a_run_is_called_what_its_tracker_calls_it(clearml: Path) -> None:
    (run,) = Monitor([clearml.parent.parent]).drain().runs
    assert (run.name, run.path) == ("bold run", clearml.parent)


def test_runs_of_one_name_are_told_apart_by_their_numbers(clearml: Path) -> None:
    other = clearml.parent.with_name("offline-" + "0" * 32)
    shutil.copytree(clearml.parent, other)
    names = [run.name for run in Monitor([clearml.parent.parent]).drain().runs]
    assert sorted(names) == ["bold run (00000000)", "bold run (d9289bab)"]


def test_a_document_that_is_half_written_is_waited_for(clearml: Path) -> None:
    whole = clearml.read_text()
    reader = opened(clearml, "clearml")
    clearml.write_text(whole[: len(whole) // 2])
    assert not read(reader).facts
    clearml.write_text(whole)
    assert facts_of(reader).name == "bold run"


@pytest.mark.parametrize("hyperparams", [None, [], {"General": 3}, {"General": {"lr": None}}])
def test_a_document_of_another_shape_tells_nothing(clearml: Path, hyperparams: object) -> None:
    task = json.loads(clearml.read_text())
    clearml.write_text(json.dumps({**task, "hyperparams": hyperparams}))
    assert facts_of(opened(clearml, "clearml")).settings == {}


def test_dvclive_keeps_parameters_and_readings_of_the_machine() -> None:
    snapshot = Monitor([DATA / "dvclive_system"]).drain()
    (run,) = snapshot.runs
    assert run.settings == {"lr": "0.001"}
    assert {"system/cpu/usage (%)", "system/ram/usage (GB)"} <= {one.tag for one in run.series}
    latest = json.loads((DATA / "dvclive_system" / "metrics.json").read_text())["system"]
    for gpu in snapshot.hardware.gpus:
        number = str(gpu.index)
        assert gpu.utilization == latest["gpu"]["usage (%)"][number]
        assert gpu.memory_used == latest["vram"]["usage (GB)"][number] * 2**30
        assert gpu.memory_total == latest["vram"]["total (GB)"][number] * 2**30
    assert [gpu.index for gpu in snapshot.hardware.gpus] == [0, 1]


def test_yaml_is_taken_as_training_programs_write_it() -> None:
    text = """# by hand
lr: 0.001
epochs: 3  # few
name: 'a: b'
betas:
- 0.9
- 0.999
net:
  dim: 64
  act: "gelu"
  layers:
    - first: 1
      second: 2
    - third
none: null
text: |
  lr: 5
  more
tagged: !!python/object:os.system
  cmd: x
anchor: &a 3
last: -7
"""
    assert settings(text) == {
        ("lr",): "0.001",
        ("epochs",): 3,
        ("name",): "a: b",
        ("betas",): "[0.9, 0.999]",
        ("net", "dim"): 64,
        ("net", "act"): "gelu",
        ("net", "layers"): "[third]",
        ("tagged", "cmd"): "x",
        ("last",): -7,
    }


@given(st.text(alphabet="ab:- #'\"\n{}[]|&*!>1.~", max_size=200))
def test_no_text_is_too_strange_for_it(text: str) -> None:
    assert all(isinstance(value, str | int) for value in settings(text).values())
