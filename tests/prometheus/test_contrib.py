"""What contrib/ holds is what Prometheus, Grafana and systemd take, and names only our metrics."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lossmon.reports.hardware_metrics import hardware_families
from lossmon.reports.openmetrics import families
from lossmon.types import HardwareReading
from tests.services.prometheus import promtool

CONTRIB = Path(__file__).parents[2] / "contrib"
RULES = CONTRIB / "prometheus"
DASHBOARD = json.loads((CONTRIB / "grafana" / "lossmon.json").read_text())


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions(value: Any) -> Iterator[str]:
    """Every query in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "expr":
                yield inner
            else:
                yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)


def known_names() -> set[str]:
    described = (*families([]), *hardware_families(HardwareReading(), "", []))
    names = {f"{one.name}_info" if one.kind == "info" else one.name for one in described}
    recorded = yaml.safe_load((RULES / "rules.yml").read_text())["groups"]
    return names | {rule["record"] for group in recorded for rule in group["rules"]}


def test_promtool_takes_the_rules() -> None:
    run(*promtool("check", "rules", "rules.yml", "alerts.yml"))


def test_alerts_fire_when_they_should_and_only_then() -> None:
    run(*promtool("test", "rules", "alerts_test.yml"))


def test_promtool_takes_the_part_of_the_configuration() -> None:
    run(*promtool("check", "config", "scrape.yml"))


def test_every_query_is_about_metrics_that_there_are() -> None:
    documents = [yaml.safe_load((RULES / name).read_text()) for name in ("rules.yml", "alerts.yml")]
    known = known_names()
    queries = [one for document in (*documents, DASHBOARD) for one in expressions(document)]
    assert len(queries) > 25
    for query in queries:
        bare = re.sub(r'"[^"]*"|\{[^}]*\}|\((?:job|run|path|instance|, |lossmon_\w+)+\)', "", query)
        used = set(re.findall(r"\blossmon[\w:]*", bare))
        assert used <= known, query


def test_prometheus_takes_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$job", "x").replace("$run", "x")}
        for number, query in enumerate(expressions(DASHBOARD))
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    run(*promtool("check", "rules", str(file)))


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken and at["x"] + at["w"] <= 24
        taken |= cells
    identities = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("command", ["exporter", "watch"])
def test_the_unit_starts_the_command_with_little_power(command: str) -> None:
    unit = CONTRIB / "systemd" / f"lossmon-{command}.service"
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)
    assert f"lossmon {command} $LOSSMON_OPTIONS $LOSSMON_PATHS" in parsed["Service"]["ExecStart"]
    assert parsed["Service"]["DynamicUser"] == "yes"
    if (verify := shutil.which("systemd-analyze")) is not None:
        done = subprocess.run([verify, "verify", unit], capture_output=True, text=True)
        assert "lossmon" not in done.stderr, done.stderr
