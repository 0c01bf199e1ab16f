"""A run as a page of HTML."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from lossmon.types import Meaning, RunSnapshot
from lossmon.ui.chart.model import ChartOptions, ChartSettings
from lossmon.ui.chart.run_model import model_of
from lossmon.ui.export.drawing import draw, spark
from lossmon.ui.export.report import page
from tests.ui import stage

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e\"'&amp;<img src=x onerror=y>"


class Seen(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def told(
    run: RunSnapshot, language: str = "en", chart_settings: ChartSettings | None = None
) -> Seen:
    return Seen(page(run, chart_settings or ChartSettings(), language, stage.NOW))


def test_the_page_tells_the_verdict_and_the_numbers() -> None:
    run = replace(stage.overfitting(), settings={"learning_rate": "2e-4"})
    seen = told(run)
    for text in ("OVERFITTING", "sft-qwen-7b", "eval loss", "learning_rate", "2e-4", "WARMING UP"):
        assert text in seen.text
    assert seen.tags.count("svg") >= 3


def test_the_page_needs_nothing_from_elsewhere() -> None:
    seen = told(stage.overfitting())
    assert not {"script", "link", "img", "iframe", "object"} & set(seen.tags)
    assert not {"src", "href", "onclick", "onload"} & {name for name, _ in seen.attributes}
    assert "url(" not in page(stage.overfitting(), ChartSettings(), "en", stage.NOW)


def test_hostile_text_is_text() -> None:
    run = stage.overfitting()
    series = (
        *run.series,
        stage.series(Meaning(HOSTILE, HOSTILE), np.arange(1, 4), np.ones(3)),
    )
    run = replace(
        run,
        name=HOSTILE,
        path=Path("/runs") / "<b>",
        series=series,
        settings={HOSTILE: HOSTILE},
        log=(HOSTILE,),
        log_name=HOSTILE,
        notes=(HOSTILE,),
    )
    seen = told(run)
    assert not {"script", "img", "b"} & set(seen.tags)
    assert "\x1b" not in seen.text
    assert "\u202e" not in seen.text
    assert "<script>alert(1)</script>" in seen.text


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(RunSnapshot("empty", Path("/runs/empty")), id="nothing yet"),
        pytest.param(stage.healthy(), id="healthy"),
        pytest.param(stage.non_finite(), id="NaN"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_is_made_of_every_run(run: RunSnapshot, language: str) -> None:
    assert run.name in told(run, language).text


def test_the_page_speaks_chinese() -> None:
    text = told(stage.overfitting(), "zh").text
    assert "过拟合" in text and "历史" in text and "，置信度" in text and "训练损失" in text


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0], id="one point"),
        pytest.param([1.0, math.nan, 2.0], id="a NaN between"),
        pytest.param([1e308, -1e308, 0.0], id="huge"),
        pytest.param([3.0] * 5, id="constant"),
        pytest.param([-1.0, 0.0, 1.0], id="negative"),
    ],
)
@pytest.mark.parametrize("log", [False, True])
def test_a_chart_is_well_formed_and_its_places_are_numbers(values: list[float], log: bool) -> None:
    run = stage.healthy()
    one = stage.series(stage.TRAIN_LOSS, np.arange(1, len(values) + 1), np.array(values))
    run = replace(run, series=(one,), train=0, eval=None)
    text = draw(model_of(run, ChartSettings(log=log), (0,)), ChartOptions(log_y=log), 'a "loss"')
    if text:
        assert "nan" not in "".join(ET.fromstring(text).itertext()).lower()
        for element in ET.fromstring(text).iter():
            for name in ("d", "cx", "cy", "x", "y"):
                assert not {"nan", "inf"} & set(element.get(name, "").replace("-", " ").split())


def test_the_line_breaks_where_the_loss_was_not_finite() -> None:
    values = np.linspace(2.0, 1.0, 40)
    values[20:23] = math.nan
    run = replace(stage.healthy(), series=(), train=None, eval=None)
    run = replace(run, series=(stage.series(stage.TRAIN_LOSS, np.arange(40), values),), train=0)
    for smoothing in (0.0, 0.9):
        drawn = draw(model_of(run, ChartSettings(), (0,)), ChartOptions(smoothing=smoothing), "")
        lines = [
            one.get("d", "") for one in ET.fromstring(drawn) if one.get("class") == "train line"
        ]
        assert [line.count("M") for line in lines] == [2]
        assert drawn.count("×") == 3


def test_a_chart_of_nothing_finite_is_no_chart() -> None:
    run = stage.healthy()
    one = stage.series(stage.TRAIN_LOSS, np.arange(1, 4), np.full(3, math.nan))
    run = replace(run, series=(one,), train=0, eval=None)
    assert draw(model_of(run, ChartSettings(), (0,)), ChartOptions(), "x") == ""


def test_a_spark_shows_a_single_spike_among_a_million_points() -> None:
    values = np.zeros(1_000_000)
    values[123_456] = 1.0
    root = ET.fromstring(spark(values))
    points = root[0].get("points", "").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert min(heights) < max(heights)
    assert sum(height == min(heights) for height in heights) == 1
