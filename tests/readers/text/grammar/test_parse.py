"""What is taken from one line of free text, and what is left."""

from __future__ import annotations

import json

import pytest

from lossmon.readers.text.grammar.parse import parse
from lossmon.readers.text.grammar.parsed import Scale
from lossmon.readers.text.templates import Template, TemplateCache
from tests import paths


def taken(line: str) -> dict[str, float]:
    parsed = parse(line)
    if parsed is None:
        return {}
    return {v.name: float(line[slice(*v.span)].replace(",", "")) * v.scale for v in parsed.values}


def place(line: str) -> tuple[Scale, str, str]:
    parsed = parse(line)
    if parsed is None:
        return Scale.NONE, "", ""
    step, epoch = parsed.position.step, parsed.position.epoch
    return (
        parsed.position.scale,
        line[slice(*step)] if step else "",
        line[slice(*epoch)] if epoch else "",
    )


DATA = paths.DATA / "text"
LINES = [json.loads(line) for line in (DATA / "lines.jsonl").read_text("utf-8").splitlines()]
"""Lines of public logs, with what they say."""

METRIC_LINES = [(entry["line"], entry["values"]) for entry in LINES if entry["values"]]
POSITIONS = [(e["line"], Scale(e["scale"]), e["step"], e["epoch"]) for e in LINES]
OTHER_LINES = (DATA / "other_lines.txt").read_text("utf-8").split("\n")[:-1]
"""Settings, code, prose, clocks and summaries that must never become a curve."""


@pytest.mark.parametrize(("line", "values"), METRIC_LINES)
def test_the_metrics_of_a_line_are_taken_with_their_names(
    line: str, values: dict[str, float | str]
) -> None:
    wanted = {name: float(value) for name, value in values.items()}
    assert taken(line) == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("line", OTHER_LINES)
def test_what_is_no_metric_is_left(line: str) -> None:
    assert taken(line) == {}


@pytest.mark.parametrize(("line", "scale", "step", "epoch"), POSITIONS)
def test_the_position_of_a_line_is_found(line: str, scale: Scale, step: str, epoch: str) -> None:
    assert place(line) == (scale, step, epoch)


@pytest.mark.parametrize("line", [line for line, _ in METRIC_LINES])
def test_the_pattern_learned_from_a_line_reads_it_back(line: str) -> None:
    parsed = parse(line)
    assert parsed is not None
    found = Template(line, parsed).match(line)
    assert found is not None
    assert [found.groups()[index] for _, index, _ in Template(line, parsed).values] == [
        line[slice(*value.span)] for value in parsed.values
    ]


def test_a_shape_that_was_seen_reads_other_numbers() -> None:
    shapes = TemplateCache()
    shapes.read("step 9: loss 0.5, lr 1e-05")
    found = shapes.read("step   10: loss -12.25, lr 0.001")
    assert found is not None
    assert found[1] == ("10", "-12.25", "0.001")


def test_digits_in_names_tell_shapes_apart() -> None:
    shapes = TemplateCache()
    tags = []
    for line in ("step 1 top1: 0.5", "step 2 top5: 0.9"):
        found = shapes.read(line)
        assert found is not None
        tags.append([tag for tag, _, _ in found[0].values])
    assert tags == [["top1"], ["top5"]]


def test_a_line_without_metrics_does_not_hide_one_of_the_same_letters() -> None:
    shapes = TemplateCache()
    found = [shapes.read(line) for line in ("epoch 1 loss:", "epoch 1 loss: 0.5")]
    tags = [[tag for tag, _, _ in one[0].values] for one in found if one is not None]
    assert tags == [[], ["loss"]]
