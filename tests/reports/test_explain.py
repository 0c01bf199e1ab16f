"""What `lossmon explain` says of files and lines."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.config import Config
from lossmon.errors import ConfigError
from lossmon.readers.text.explain import explain_line
from lossmon.reports.explain import explain
from tests import paths

DATA = paths.DATA


def told(*paths: Path, line: int | None = None, config: Config | None = None) -> str:
    out = io.StringIO()
    explain(paths, config or Config(), out, line)
    return out.getvalue()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    lines = ["hello", "Epoch 2/3", "step 5/9 loss 2.5 | lr 0.1 | time 3.5s", "step 6/9 loss 2 |"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_each_file_is_named_with_its_reader_and_what_it_gives(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.0}\n')
    text = told(tmp_path)
    assert "jsonl: JSON lines; matched by name (*.jsonl) and content" in text
    assert "loss = train/loss (train loss): 2 points, step 1 to 2, last 2" in text


def test_files_that_nothing_reads_are_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Nothing here is a metric.\n")
    (tmp_path / "later.log").touch()
    (tmp_path / "model.pt").write_bytes(b"\0" * 9)
    (tmp_path / "link.log").symlink_to(tmp_path / "later.log")
    text = told(tmp_path)
    assert "notes.txt: named like" in text and "text logs (stdout), but the content is" in text
    assert "later.log: an empty file" in text
    assert "link.log: a symbolic link" in text
    assert "ignored by name (no log has such a name): 1 .pt" in text


def test_the_standard_input_is_named_as_the_user_wrote_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    with log.open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        assert main(["explain", "-"]) == 0
        assert capsys.readouterr().out.startswith("run stdin.log   -\n  -\n")


@pytest.mark.parametrize(
    "broken",
    [
        "lossmon.readers.text.reader.TextReader.__init__",
        "lossmon.readers.text.reader.TextReader.read",
        "lossmon.reports.explain_log.explain_line",
        "lossmon.reports.explain.detect_named",
    ],
)
def test_an_unexpected_exception_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    (tmp_path / "a.log").write_text("step 1 loss 2\n")
    (tmp_path / "b.jsonl").write_text('{"step": 1, "loss": 2.5}\n')
    (tmp_path / "c.log").touch()
    (tmp_path / "notes.txt").write_text("Nothing here is a metric.\n")

    def surprise(*_: object) -> object:
        raise ValueError("surprise")

    monkeypatch.setattr(broken, surprise)
    text = told(tmp_path)
    assert "internal error: ValueError: surprise (" in text
    assert "loss = train/loss (train loss): 1 point" in text
    assert "c.log: an empty file" in text


def test_lines_that_are_alike_are_told_once(log: Path) -> None:
    with log.open("a", encoding="utf-8") as out:
        out.writelines(f"step {n}/9 loss {n} |\n" for n in range(7, 10))
    text = told(log)
    assert "line 4 and 3 similar: step 6/9 loss 2 |" in text
    assert "metric loss = 2: train/loss (train loss)" in text
    assert "ignored 3.5: 'time' is a setting, a clock or a count" in text
    assert "lines without metrics: 1 no number" in text


def test_one_line_is_told_with_the_place_that_others_lend_it(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("Epoch 1/3\nloss: 3.5\nEpoch 2/3\nloss: 2.5\n", encoding="utf-8")
    text = told(log, line=4)
    assert "line 4: loss: 2.5" in text
    assert "point loss = 2.5 at epoch 2: train/loss (train loss)" in text
    assert "no metrics: it gives the lines below it their position" in told(log, line=3)


def test_a_line_of_a_table_is_told_too(tmp_path: Path) -> None:
    (table := tmp_path / "log.csv").write_text("step,loss\n1,2.5\n2,2.0\n")
    assert "point loss = 2 at step 2" in told(table, line=3)


def test_the_patterns_and_names_of_the_settings_hold(tmp_path: Path) -> None:
    (log := tmp_path / "odd").write_text("<7> 2.5\n")
    config = Config(
        metrics={"eval_loss": "fit"}, patterns={"mine": r"<(?P<step>\d+)> (?P<fit>\S+)"}
    )
    text = told(log, config=config)
    assert "metric fit = 2.5: eval/loss (eval loss)" in text
    assert "position step 7" in text


def test_what_the_settings_say_of_another_run_is_not_held_against_this_one(
    tmp_path: Path,
) -> None:
    (log := tmp_path / "train.log").write_text("step 1 loss 2.5\nstep 2 loss 2.0\n")
    elsewhere = Config(metrics={"train_loss": ("my/loss",)})
    assert told(log, config=elsewhere) == told(log)
    assert told(log, line=1, config=elsewhere) == told(log, line=1)
    here = Config(metrics={"train_loss": "my/loss", "just_shown": ("loss",)})
    assert "train/loss (shown) (train other)" in told(log, config=here)


def test_a_line_that_is_not_there_is_a_wrong_argument(log: Path) -> None:
    with pytest.raises(ConfigError, match="has 4 lines"):
        told(log, line=5)
    with pytest.raises(ConfigError, match="is a directory"):
        told(log.parent, line=1)


def test_what_a_terminal_would_obey_is_replaced(tmp_path: Path) -> None:
    (log := tmp_path / "train.log").write_text("step 1 \a\x1b[31mloss 2.5\x1b]0;title\a\n")
    assert all(c == "\n" or c.isprintable() for c in told(log) + told(log, line=1))


@pytest.mark.parametrize("line", ["x" * 10_000_000, "loss " * 200_000, "[" * 100_000])
def test_a_monstrous_line_is_explained(tmp_path: Path, line: str) -> None:
    (log := tmp_path / "train.log").write_text(line + "\nstep 1 loss 2.5\n")
    assert "metric loss = 2.5" in told(log)


def test_the_exit_status_says_whether_anything_is_read(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(log)]) == 0
    assert "metric loss" in capsys.readouterr().out
    (unknown := tmp_path / "unknown.bin").write_bytes(b"\0\1")
    assert main(["explain", str(unknown)]) == 3
    with pytest.raises(SystemExit):
        main(["explain", str(log), "--line", "0"])


@pytest.mark.parametrize("family", sorted(p.name for p in DATA.iterdir() if p.is_dir()))
def test_every_sample_is_explained(family: str) -> None:
    assert told(DATA / family)


def test_a_directory_without_files_is_said_to_be_empty(tmp_path: Path) -> None:
    out = io.StringIO()
    assert not explain([tmp_path], Config(), out, None)
    assert out.getvalue() == f"no files in {tmp_path}\n"


LOGS = sorted(path for path in (DATA / "text").rglob("*") if path.suffix in (".log", ".txt"))


def _kinds(path: Path) -> list[int]:
    """Numbers of the last line of each kind that states metrics."""
    kinds: dict[object, int] = {}
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n"), 1):
        found = explain_line(line)
        if found.metrics:
            kinds[tuple(tag for tag, _ in found.metrics)] = number
    return list(kinds.values())


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_no_line_has_metrics_and_gives_no_point(path: Path) -> None:
    for number in _kinds(path)[:6]:
        text = told(path, line=number)
        assert not ("  metric " in text and "no point" in text), text[-2000:]


def test_a_part_of_an_evaluation_is_no_metric() -> None:
    text = told(DATA / "text" / "dialects" / "demucs.log", line=8)
    assert "metric eval" not in text and "ignored 0.8113: no point: a part of" in text


def test_a_record_whose_step_comes_later_is_explained(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        " 10%|█         | 4/40 [00:01<00:09, 4.0it/s]\n"
        "{'loss': '2.5', 'epoch': '0.5'}\n"
        " 12%|█▎        | 5/40 [00:01<00:09, 4.0it/s]\n"
    )
    assert "point loss = 2.5 at step 4" in told(log, line=2)


def test_explain_speaks_chinese(log: Path) -> None:
    text = told(log.parent, config=Config(lang="zh"))
    assert "按文件名（*.log）和内容识别" in text
    assert "指标 loss = 2：train/loss (训练损失)" in text
    assert "已忽略 3.5：'time' 是配置项、时间或计数" in text
    assert "没有指标的行：1 没有数字" in text
