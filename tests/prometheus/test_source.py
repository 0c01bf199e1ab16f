"""Runs of a real Prometheus server as a source of the screen."""

from __future__ import annotations

import json
import platform
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lossmon.cli import main
from lossmon.commands.arguments.parsing import Address, location
from lossmon.config import Config
from lossmon.prometheus.source import PrometheusSource, open_source
from lossmon.types import Job, JobState, RunSnapshot, RunState, Severity, Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.scene import ScreenConfig
from tests.services.pages import Pages, Reply
from tests.services.program import wait_until
from tests.services.prometheus import NodeExporter, PrometheusServer
from tests.ui.screen import text, until

HERE = platform.node()
SPAN, SCRAPE = 7200, 30
"""Seconds of history, and between two scrapes."""


def history(now: float) -> str:
    """What two exporters and DCGM's have told in the last two hours.

    `a` falls to 0.5 at step 1000 and rises; `b` has the same name on two hosts.
    """
    lines: dict[str, list[str]] = {}

    def tell(name: str, labels: str, value: Callable[[float], float]) -> None:
        told = lines.setdefault(name, [])
        for before in range(SPAN, -1, -SCRAPE):
            share = 1 - before / SPAN
            told.append(f"{name}{{{labels}}} {value(share):.6g} {now - before:.3f}")

    a = 'instance="gpu01:9712",job="lossmon",run="a",path="/runs/a"'
    tell("lossmon_step", a, lambda share: int(100 * share) * 20)
    tell("lossmon_total_steps", a, lambda share: 4000)
    tell("lossmon_train_loss", a, lambda share: 0.5 + abs(share - 0.5))
    tell("lossmon_eval_loss", a, lambda share: 2 - int(4 * share) / 4)
    tell("lossmon_best_eval_loss", a, lambda share: 0.9)
    tell("lossmon_best_step", a, lambda share: 1500)
    tell("lossmon_remaining_seconds", a, lambda share: 3600)
    tell("lossmon_last_update_timestamp_seconds", a, lambda share: now - 5)
    tell("lossmon_verdict_since_step", a, lambda share: 1000)
    tell("lossmon_run_info", f'{a},sources="hf_trainer,tensorboard"', lambda share: 1)
    job = 'scheduler="Slurm",id="77",name="tune",partition="gpu",state="running"'
    tell("lossmon_job_info", f"{a},{job}", lambda share: 1)
    tell("lossmon_job_limit_timestamp_seconds", a, lambda share: now + 600)
    warning = 'code="overfitting",severity="warning",confidence="high"'
    tell("lossmon_finding", f'{a},{warning},is_verdict="true"', lambda share: 1)
    notice = 'code="lr_too_high",severity="notice",confidence="low"'
    tell("lossmon_finding", f'{a},{notice},is_verdict="false"', lambda share: 1)
    tell("lossmon_state", f'{a},lossmon_state="running"', lambda share: 1)
    tell("lossmon_state", f'{a},lossmon_state="stalled"', lambda share: 0)
    tell("lossmon_run_node", f'{a},node="{HERE}"', lambda share: 1)
    tell("lossmon_run_node", f'{a},node="gone"', lambda share: 0)
    for host in ("gpu02", "gpu03"):
        b = f'instance="{host}:9712",job="lossmon",run="b",path="/runs/b"'
        tell("lossmon_step", b, lambda share: 7)
        tell("lossmon_train_loss", b, lambda share: float("nan"))
        tell("lossmon_state", f'{b},lossmon_state="finished"', lambda share: 1)
    for gpu, used in ((0, 95.0), (1, 20.0)):
        labels = f'instance="x:9400",Hostname="{HERE}.cluster.example",gpu="{gpu}"'
        tell("DCGM_FI_DEV_GPU_UTIL", labels, lambda share, used=used: used)
        tell("DCGM_FI_DEV_FB_USED", labels, lambda share: 1024)
        tell("DCGM_FI_DEV_FB_FREE", labels, lambda share: 3072)
        tell("DCGM_FI_DEV_POWER_USAGE", labels, lambda share: 350.5)
    return "".join(
        f"# TYPE {name} unknown\n" + "\n".join(told) + "\n" for name, told in lines.items()
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    directory = tmp_path_factory.mktemp("prometheus")
    exporter = NodeExporter(directory / "node")
    target = f"{{job_name: node, static_configs: [{{targets: ['{exporter.address}']}}]}}"
    configuration = (
        f"global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\nscrape_configs: [{target}]\n"
    )
    server = PrometheusServer(directory / "server", configuration, history(time.time()))
    wait_until(lambda: server.query("count(node_memory_MemTotal_bytes)"), "the node exporter")
    yield server
    server.stop()
    exporter.stop()


@pytest.fixture
def source(server: PrometheusServer) -> Iterator[PrometheusSource]:
    source = PrometheusSource(server.url)
    yield source
    source.stop()


def named(snapshot: Snapshot) -> dict[str, RunSnapshot]:
    return {run.name: run for run in snapshot.runs}


def test_every_run_of_every_host_is_a_row(source: PrometheusSource) -> None:
    runs = named(source.drain())
    assert set(runs) == {"a", "gpu02/b", "gpu03/b"}
    a, b = runs["a"], runs["gpu02/b"]
    assert str(a.path) == "gpu01:9712/runs/a"
    assert (a.state, a.step, a.total_steps, a.remaining) == (RunState.RUNNING, 2000, 4000, 3600)
    assert a.sources == ("hf_trainer", "tensorboard")
    verdict = a.diagnosis.verdict
    assert (verdict.code, verdict.severity, verdict.since_step) == (
        "overfitting",
        Severity.WARNING,
        1000,
    )
    assert [one.code for one in a.diagnosis.findings] == ["overfitting", "lr_too_high"]
    assert a.train_loss is not None and a.train_loss.last == 1.0
    assert a.eval_loss is not None and a.eval_loss.min_step == 1500
    assert a.best is not None and a.best.eval_loss == 0.9
    assert a.job is not None and a.job.limit is not None
    assert (a.job.id, a.job.state) == ("77", JobState.RUNNING) and isinstance(a.job, Job)
    assert b.state is RunState.FINISHED and b.train_loss is not None
    assert b.train_loss.n_nonfinite == 1


def test_the_curves_of_the_run_in_view_come_and_the_hardware_of_its_hosts(
    source: PrometheusSource,
) -> None:
    runs = named(source.drain())
    source.prioritise([runs["a"].path])
    wait_until(lambda: named(source.poll(0.0))["a"].nodes, "the run in view")
    a = named(source.poll(0.0))["a"]
    train, eval_ = a.train_loss, a.eval_loss
    assert train is not None and eval_ is not None
    assert train.n > 80 and train.steps[0] < 100 and train.last_step == 2000
    assert abs(train.minimum - 0.5) < 0.02 and 950 <= train.min_step <= 1050
    assert eval_.n == 5 and (eval_.minimum, eval_.min_step) == (0.9, 1500)
    gone, here = a.nodes
    assert (gone.name, gone.stale, here.name, here.stale) == ("gone", True, HERE, False)
    first, second = here.gpus
    assert (first.utilization, second.utilization, first.power) == (95.0, 20.0, 350.5)
    assert (first.memory_used, first.memory_total) == (1 << 30, 4 << 30)
    assert here.host is not None and here.host.memory_total and here.host.disk_total


def test_trends_of_rows_in_view_come_for_many_at_once(source: PrometheusSource) -> None:
    source.prioritise([run.path for run in source.drain().runs])

    def trend() -> bool:
        train = named(source.poll(0.0))["a"].train_loss
        return train is not None and train.n > 10

    wait_until(trend, "the trends")


def test_what_did_not_change_is_the_same_object(source: PrometheusSource) -> None:
    source.drain()
    assert source.poll(0.0) is source.poll(0.0)


def test_a_server_that_is_gone_is_told_and_what_was_known_stays(tmp_path: Path) -> None:
    server = PrometheusServer(tmp_path / "server", "", history(time.time()))
    source = PrometheusSource(server.url)
    try:
        assert len(source.drain().runs) == 3
        server.stop()
        source.prioritise([source.poll(0.0).runs[0].path])
        wait_until(lambda: source.poll(0.0).notes, "the error")
        snapshot = source.poll(0.0)
        assert len(snapshot.runs) == 3 and "refused" in snapshot.notes[0]
    finally:
        source.stop()
        server.stop()


def test_a_server_that_hangs_freezes_nothing() -> None:
    released = threading.Event()

    def hang(request: object) -> Reply:
        released.wait(60)
        return Reply()

    pages = Pages(hang)
    source = PrometheusSource(f"http://{pages.address}")
    try:
        assert source.poll(0.05).waiting_for == f"runs on {pages.address}"
        assert not released.is_set()
        source.stop()
    finally:
        released.set()
        pages.stop()


def test_an_address_is_told_from_a_path() -> None:
    assert isinstance(location("prometheus+http://a:9090"), Address)
    assert location("runs/a") == Path("runs/a") and isinstance(location("x:y"), Path)


def test_check_prints_the_fleet(
    server: PrometheusServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", f"prometheus+{server.url}", "--json", "--fail-on", "critical"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["run"] for line in lines} == {"a", "gpu02/b", "gpu03/b"}
    (a,) = (line for line in lines if line["run"] == "a")
    assert a["verdict"]["code"] == "overfitting" and a["job"]["id"] == "77"
    assert main(["check", f"prometheus+{server.url}", "--fail-on", "warning"]) == 1


def test_commands_of_files_refuse_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("explain", "report", "exporter"):
        assert main([command, "prometheus+http://localhost:1"]) == 2
        assert "takes paths of this machine only" in capsys.readouterr().err


async def test_the_screen_shows_the_fleet_and_the_curve_of_a_run(server: PrometheusServer) -> None:
    source = open_source(f"prometheus+{server.url}", Config(), threading.Event())
    app = LossmonApp(source, ScreenConfig(fleet_first=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "gpu03/b" in text(app) and "OVERFITTING" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "4,000" in text(app) and "min 0.9000 @1.5k" in text(app))
        await until(pilot, lambda: "min 0.500" in text(app))
        assert "–" not in text(app).splitlines()[1]
    source.stop()
