"""Prompts and answers, in every way in which people log them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lossmon.readers.discovery.discovery import Discovery
from lossmon.readers.files.lines import LONGEST
from lossmon.readers.records.sample_parts import Parts, parts_of, rows_of, split_text
from lossmon.readers.registry import detect
from lossmon.sanitize import LONGEST_TEXT, multiline
from lossmon.types import TextSample
from tests.readers.growing import read_growing, read_whole


def read(path: Path) -> list[TextSample]:
    found = detect(path)
    assert found is not None
    return read_whole(found.open(path)).samples


def written(path: Path, *records: object) -> list[TextSample]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return read(path)


@pytest.mark.parametrize(
    "record, expected",
    [
        pytest.param({"prompt": "p", "output": "o", "label": "l"}, Parts("o", "p", "l"), id="ours"),
        pytest.param({"question": "q", "response": "r"}, Parts("r", "q"), id="other names"),
        pytest.param({"Prompt": "p", "Generated Text": "g"}, Parts("g", "p"), id="capitals"),
        pytest.param({"prompt": "2+3=", "output": "5"}, Parts("5", "2+3="), id="text of digits"),
        pytest.param({"prompt": "2+3=", "output": 5}, Parts("5", "2+3="), id="number"),
        pytest.param({"prompt": "p", "output": ""}, Parts("", "p"), id="empty answer"),
        pytest.param(
            {"question": "q", "output": "o", "answer": "a"}, Parts("o", "q", "a"), id="answer"
        ),
        pytest.param({"question": "q", "answer": "a"}, Parts("a", "q"), id="answer alone"),
        pytest.param(
            {"instruction": "i", "input": "x", "output": "o"}, Parts("o", "i\nx"), id="alpaca"
        ),
        pytest.param(
            {
                "prompt": [
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": "u"},
                ],
                "completion": [{"role": "assistant", "content": "c"}],
            },
            Parts("c", "system: s\nuser: u"),
            id="conversation",
        ),
    ],
)
def test_the_parts_of_a_record_are_found(record: dict[str, object], expected: Parts) -> None:
    assert list(parts_of(record)) == [expected]


@pytest.mark.parametrize("record", [{"loss": 1.0}, {"output": None}, {"output": True}, {}])
def test_a_record_without_an_answer_gives_none(record: dict[str, object]) -> None:
    assert list(parts_of(record)) == []


def test_one_record_may_hold_all_answers_of_a_step(tmp_path: Path) -> None:
    expected = [TextSample("a", 5, "x", "p"), TextSample("a", 5, "y", "q")]
    rows = [{"prompt": "p", "output": "x"}, {"prompt": "q", "output": "y"}]
    assert written(tmp_path / "a.jsonl", {"step": 5, "samples": rows}) == expected
    columns = {"step": 5, "prompt": ["p", "q"], "output": ["x", "y"]}
    assert written(tmp_path / "a.jsonl", columns) == expected


def test_a_log_of_the_loss_is_no_log_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 2.5, "output": "o"}\n')
    found = detect(path)
    assert found is not None
    assert found.source == "jsonl"


def test_a_data_set_is_no_log_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text('{"prompt": "p", "output": "o"}\n')
    assert detect(path) is None


def test_the_step_may_stand_in_the_name(tmp_path: Path) -> None:
    record = {"prompt": "p", "output": "o"}
    path = tmp_path / "samples" / "eval_step_500.jsonl"
    assert written(path, record) == [TextSample("eval", 500, "o", "p")]
    path = tmp_path / "samples" / "000600.jsonl"
    assert written(path, record) == [TextSample("samples", 600, "o", "p")]


def test_predictions_stand_at_the_step_of_their_checkpoint(tmp_path: Path) -> None:
    record = {"prompt": "p", "predict": "o", "label": "l"}
    path = tmp_path / "checkpoint-300" / "generated_predictions.jsonl"
    assert written(path, record) == [TextSample("generated_predictions", 300, "o", "p", "l")]


def test_a_long_first_record_is_known_by_its_beginning(tmp_path: Path) -> None:
    long = "word " * 40_000
    (sample,) = written(tmp_path / "s.jsonl", {"step": 3, "prompt": long, "output": "o"})
    assert (sample.step, sample.output) == (3, "o")
    assert len(sample.prompt) == LONGEST_TEXT + 1


@pytest.mark.parametrize("text", ["word and ", "中文", '"\\'], ids=["words", "escapes", "quotes"])
def test_of_an_overlong_answer_the_beginning_is_kept(tmp_path: Path, text: str) -> None:
    for shift in range(7):
        huge = "x" * shift + text * (LONGEST * 11 // 10 // len(text))
        record = {"step": 3, "prompt": "p", "output": huge}
        samples = written(tmp_path / "s.jsonl", record, {**record, "output": "short"})
        assert [one.output[:50] for one in samples] == [huge[:50], "short"]
        assert len(samples[0].output) == LONGEST_TEXT + 1


def test_an_answer_of_megabytes_before_its_step_is_left_out(tmp_path: Path) -> None:
    record = {"output": "x" * 3_000_000, "step": 3, "prompt": "p"}
    first = {"step": 1, "prompt": "p", "output": "o"}
    assert [one.step for one in written(tmp_path / "s.jsonl", first, record)] == [1]


def test_answers_beside_a_log_belong_to_its_run(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n')
    (tmp_path / "runs").mkdir()
    for name in ("samples/a.jsonl", "samples/b.jsonl"):
        written(tmp_path / name, {"step": 1, "prompt": "p", "output": "o"})
    (run,) = Discovery([tmp_path]).scan().runs
    assert len(run.files) == 3


def test_every_cut_gives_the_same_answers(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    record = {"step": 1, "prompt": "p\n中", "output": "o"}
    whole = written(path, record, {**record, "step": 2})
    content = path.read_bytes()
    found = detect(path)
    assert found is not None
    for cut in range(1, len(content)):
        assert read_growing(path, content, [cut], found.open).samples == whole, cut


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("Prompt: a\nOutput: b", Parts("b", "a"), id="plain"),
        pytest.param("**Prompt:** a\n\n**Output:** b", Parts("b", "a"), id="bold"),
        pytest.param("### Instruction:\na\n\n### Response:\nb", Parts("b", "a"), id="alpaca"),
        pytest.param("Prompt: a Output: b", Parts("b", "a"), id="one line"),
        pytest.param(
            "Question: a\nAnswer: b\nExpected: c", Parts("b", "a", "c"), id="with a label"
        ),
        pytest.param("Prompt: Q: 1? Answer: \nOutput: b", Parts("b", "Q: 1? Answer:"), id="nested"),
        pytest.param("just a text", Parts("just a text"), id="whole"),
        pytest.param("Prompt: and no answer", Parts("Prompt: and no answer"), id="half"),
    ],
)
def test_a_text_is_taken_apart_at_its_headings(text: str, expected: Parts) -> None:
    assert split_text(text) == [expected]


def test_a_markdown_table_is_taken_apart() -> None:
    table = "| prompt | output |\n|:---|---|\n| a | b |\n| c \\| d | `e` |"
    assert split_text(table) == [Parts("b", "a"), Parts("e", "c | d")]


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    rows = [[7, "a", "b", 0.5], [8, "c", None, 0.5], "no row", [9, "d"]]
    assert list(rows_of(["step", "my prompt", "model output", "reward"], rows)) == [
        (Parts("b", "a"), 7)
    ]
    assert list(rows_of(["epoch", "image"], [[1, 2]])) == []


def test_a_text_keeps_its_lines_and_nothing_that_controls_a_terminal() -> None:
    assert multiline("a\tb\r\nc\x1b[2J\x00") == "a\tb\nc�[2J�"
    assert multiline("x" * (LONGEST_TEXT + 5)) == "x" * LONGEST_TEXT + "…"
