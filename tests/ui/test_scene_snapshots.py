"""Scenes that strain the layout, as pictures: look at each before accepting a change."""

from __future__ import annotations

from typing import Any

import pytest

from lossmon.ui.scene import ScreenConfig
from tests.ui import stage
from tests.ui.widgets.test_widget_walk import SCENES

WIDTHS = {40: 15, 80: 24, 120: 40, 200: 50}


@pytest.mark.parametrize(
    "name, columns, key",
    [
        *(("healthy", columns, "") for columns in WIDTHS),
        ("non-finite", 40, ""),
        ("non-finite", 200, ""),
        ("no-eval", 120, ""),
        ("sixty metrics", 80, ""),
        ("sixty metrics", 200, ""),
        ("long names", 80, "r"),
        ("long names", 120, ""),
        ("overfitting", 40, "question_mark"),
        ("overfitting", 120, "question_mark"),
        ("overfitting", 80, "t"),
        ("overfitting", 80, "ctrl+p"),
    ],
)
def test_the_scene(snap_compare: Any, name: str, columns: int, key: str) -> None:
    size = (columns, WIDTHS[columns])
    assert snap_compare(stage.app(SCENES[name]()), terminal_size=size, press=[key] if key else [])


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_scene_in_chinese(snap_compare: Any, columns: int) -> None:
    app = stage.app(SCENES["chinese"](), config=ScreenConfig(language="zh"))
    assert snap_compare(app, terminal_size=(columns, WIDTHS[columns]))
