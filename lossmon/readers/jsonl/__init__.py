"""JSON lines: one record per line, appended as the run goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from lossmon.readers.format import (
    PLAIN,
    Dialect,
    DirectoryRules,
    Format,
    Location,
    Rank,
    lazy,
)

_HERE = "lossmon.readers.jsonl"

_MMENGINE_RUN = r"\d{8}_\d{6}"


def _is_mmengine_part(place: Location) -> str | None:
    """Each start of MMEngine writes into a directory named after the time."""
    if re.fullmatch(_MMENGINE_RUN, place.own) is None:
        return None
    return "" if {"vis_data", f"{place.own}.log"} & set(place.inside) else None


def _is_scalars_twin(path: str) -> bool:
    """Whether MMEngine writes the same records to `scalars.json` beside this file."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) != "vis_data" or name == "scalars.json":
        return False
    return name.endswith(".json")


def _twins(paths: Collection[str]) -> set[str]:
    return {
        path
        for path in paths
        if _is_scalars_twin(path) and os.path.join(os.path.dirname(path), "scalars.json") in paths
    }


def _repeats_scalars(path: Path) -> bool:
    return _is_scalars_twin(str(path)) and (path.parent / "scalars.json").exists()


FORMATS = (
    Format(
        source="llamafactory",
        title="LLaMA-Factory trainer_log.jsonl",
        names=("trainer_log.jsonl",),
        claims=lazy(f"{_HERE}.detection:claims_llamafactory"),
        open=lazy(f"{_HERE}.frameworks:open_log"),
        rank=Rank.LIVE,
        dialect=Dialect(closing_loss=True),
    ),
    Format(
        source="mmcv",
        title="mmcv *.log.json",
        names=("*.log.json",),
        claims=lazy(f"{_HERE}.detection:claims_mmcv"),
        open=lazy(f"{_HERE}.frameworks:open_mmcv"),
        rank=Rank.LIVE,
    ),
    Format(
        source="mmengine",
        title="MMEngine scalars.json",
        names=("scalars.json", "[0-9]*_[0-9]*.json"),
        claims=lazy(f"{_HERE}.detection:claims_mmengine"),
        open=lazy(f"{_HERE}.frameworks:open_mmengine"),
        rank=Rank.LIVE,
        repeats=_repeats_scalars,
        superseded=_twins,
        directories=DirectoryRules(
            parts=frozenset({"vis_data"}),
            telling=rf"vis_data$|{_MMENGINE_RUN}(?:\.log)?$",
            part_of=_is_mmengine_part,
        ),
    ),
    Format(
        source="detectron2",
        title="Detectron2 metrics.json",
        names=("metrics.json",),
        claims=lazy(f"{_HERE}.detection:claims_detectron2"),
        open=lazy(f"{_HERE}.frameworks:open_detectron2"),
        rank=Rank.LIVE,
    ),
    Format(
        source="sb3",
        title="Stable-Baselines3 progress.json",
        names=("progress.json",),
        claims=lazy(f"{_HERE}.detection:claims_sb3"),
        open=lazy(f"{_HERE}.frameworks:open_sb3"),
        rank=Rank.LIVE,
    ),
    Format(
        source="ray",
        title="Ray Tune result.json",
        names=("result.json",),
        claims=lazy(f"{_HERE}.detection:claims_ray"),
        open=lazy(f"{_HERE}.frameworks:open_ray"),
        rank=Rank.LIVE,
    ),
    Format(
        source="verl",
        title="verl file logger",
        names=("*.jsonl",),
        claims=lazy(f"{_HERE}.detection:claims_verl"),
        open=lazy(f"{_HERE}.frameworks:open_verl"),
        rank=Rank.LIVE,
        user_named=True,
    ),
    Format(
        source="clearml",
        title="ClearML offline session",
        names=("metrics.jsonl",),
        claims=lazy(f"{_HERE}.detection:claims_clearml"),
        open=lazy(f"{_HERE}.frameworks:open_metrics"),
        rank=Rank.LIVE,
        directories=DirectoryRules(run=r"offline-[0-9a-f]{8,}$"),
    ),
    Format(
        source="clearml",
        title="ClearML task.json",
        names=("task.json",),
        claims=lazy(f"{_HERE}.detection:claims_clearml_task"),
        open=lazy(f"{_HERE}.frameworks:open_task"),
        rank=Rank.SETTINGS,
    ),
    Format(
        source="jsonl",
        title="JSON lines of named values",
        names=("*.jsonl", "*.ndjson", "*.jsonlines", "*.json", "*.log"),
        marker=b'"value"',
        claims=lazy(f"{_HERE}.detection:claims_long_form"),
        open=lazy(f"{_HERE}.frameworks:open_long_form"),
        rank=Rank.LIVE,
        general=True,
        user_named=True,
        dialect=PLAIN,
    ),
    Format(
        source="jsonl",
        title="JSON lines",
        names=("*.jsonl", "*.ndjson", "*.jsonlines", "*.json", "*.log", "*.txt"),
        marker=b"{",
        claims=lazy(f"{_HERE}.detection:claims_json_lines"),
        open=lazy("lossmon.readers.records.json_records:json_lines"),
        rank=Rank.LIVE,
        general=True,
        user_named=True,
        dialect=PLAIN,
    ),
)
