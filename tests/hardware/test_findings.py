"""Each rule on the hardware of a run: what it finds, and the look-alikes that it leaves alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lossmon.diagnosis.advice import advise
from lossmon.hardware.findings import CODES
from lossmon.hardware.findings.situation import GoneProcesses
from lossmon.locale import languages
from lossmon.types import GpuDetails, HostReading, PcieLink, RunState, Severity
from tests.hardware.situations import GIB, Machine
from tests.paths import ROOT

Change = dict[str, Any]


def waiting(index: int, seconds: float) -> Change:
    """A GPU in a collective operation that does not end."""
    return {"power": 130.0, "utilization": 100.0}


def hung(count: int) -> Machine:
    machine = Machine(count)
    machine.play(20)
    machine.play(10, waiting, pace=None)
    return machine


def saw_tooth(index: int, seconds: float) -> Change:
    return {"utilization": 95.0 if int(seconds / 5) % 3 == 0 else 2.0, "power": 200.0}


def input_bound() -> Machine:
    machine = Machine()
    machine.play(15, saw_tooth, cpu=97.0)
    return machine


def growing(index: int, seconds: float) -> Change:
    """One GPU takes 100 MB more per minute."""
    return {"memory_used": int((60 * GIB + seconds / 60 * 1e8) if index == 3 else 60 * GIB)}


def memory_growth() -> Machine:
    machine = Machine()
    machine.play(60, growing)
    return machine


def no_first_step() -> Machine:
    machine = Machine()
    machine.play(31, waiting, pace=None)
    machine.more = {"on_gpu_since": machine.now - 31 * 60}
    return machine


def hot(index: int, seconds: float) -> Change:
    if index % 2:
        return {}
    return {"throttle_reasons": ("SW thermal",), "sm_clock": 1.2e9, "temperature": 88.0}


def throttling() -> Machine:
    machine = Machine()
    machine.play(30)
    machine.play(6, hot, pace=14.0)
    return machine


def slow_gpu() -> Machine:
    machine = Machine()
    machine.play(10, lambda index, _: {"sm_clock": 1.2e9} if index == 5 else {})
    return machine


def nearly_full(free: int, size: int) -> Machine:
    machine = Machine()
    machine.play(10)
    machine.host.reading = HostReading("gpu01", disk_free=free, disk_total=1000 * GIB)
    machine.more = {"checkpoint_size": size}
    return machine


def gone() -> Machine:
    machine = Machine()
    machine.play(10)
    since = machine.now
    machine.play(3, lambda index, _: {"utilization": 0.0, "power": 70.0}, pace=None)
    machine.more = {"gone": (GoneProcesses("gpu01", "python", since),)}
    return machine


def with_details(details: GpuDetails, index: int = 1, *, others: GpuDetails) -> Machine:
    machine = Machine()
    machine.play(10, lambda at, _: {"details": others})
    machine.play(1, lambda at, _: {"details": details if at == index else others})
    return machine


FINE = GpuDetails(pcie=PcieLink(5, 16, 5, 16), ecc_uncorrected=0, nvlinks=18, nvlinks_total=18)
CHECKPOINTS = ((100, "checkpoint-100"), (200, "checkpoint-200"))

SHOWN: dict[str, tuple[Machine, Change, Severity]] = {
    "hung_collective": (hung(8), {}, Severity.CRITICAL),
    "no_first_step": (no_first_step(), {"step": None}, Severity.WARNING),
    "input_bound": (input_bound(), {}, Severity.NOTICE),
    "memory_growth": (memory_growth(), {}, Severity.WARNING),
    "throttling": (throttling(), {}, Severity.WARNING),
    "slow_gpu": (slow_gpu(), {}, Severity.WARNING),
    "disk_full": (nearly_full(8 * GIB, 10 * GIB), {"checkpoints": CHECKPOINTS}, Severity.CRITICAL),
    "process_gone": (gone(), {}, Severity.WARNING),
    "gpu_error": (
        with_details(GpuDetails(xids=(13, 79)), others=FINE),
        {},
        Severity.CRITICAL,
    ),
    "link_degraded": (
        with_details(GpuDetails(pcie=PcieLink(5, 4, 5, 16)), others=FINE),
        {},
        Severity.NOTICE,
    ),
}


def test_every_rule_is_shown_and_named_after_its_function() -> None:
    assert SHOWN.keys() == CODES


def test_the_page_lists_every_rule_with_its_severity() -> None:
    page = (ROOT / "docs" / "hardware-findings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE))
    assert rows == {code: severity.word for code, (_, _, severity) in SHOWN.items()}


@pytest.mark.parametrize("code", SHOWN)
def test_a_rule_finds_its_fault_alone_and_in_words(code: str) -> None:
    machine, run, severity = SHOWN[code]
    findings = machine.findings(**run)
    assert {code: severity} == {one.code: one.severity for one in findings.values()}
    for language in languages():
        words = advise(findings[code], language)
        for text in (words.evidence, words.meaning, *words.remedies):
            assert text and "–" not in text and "{" not in text


@pytest.mark.parametrize("code", SHOWN)
def test_nothing_is_found_of_a_run_that_has_ended(code: str) -> None:
    machine, run, _ = SHOWN[code]
    assert machine.findings(**{**run, "state": RunState.FINISHED}) == {}


@pytest.mark.parametrize("count", [2, 8, 16])
def test_a_hang_is_found_on_any_number_of_gpus(count: int) -> None:
    found = hung(count).findings()["hung_collective"]
    assert advise(found).evidence == (
        f"no step for 10 min; {count} of {count} GPUs at 100% and only 130 W"
    )


def test_one_gpu_alone_has_no_collective_operations() -> None:
    assert hung(1).findings() == {}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"utilization": 100.0, "power": 600.0}, id="an eval"),
        pytest.param({"utilization": 100.0, "power": 300.0}, id="an eval that generates"),
        pytest.param({"utilization": 0.0, "power": 90.0}, id="a checkpoint"),
        pytest.param({"utilization": 100.0, "power": None}, id="a driver without power"),
    ],
)
def test_a_pause_at_work_is_not_a_hang(change: Change) -> None:
    machine = Machine()
    machine.play(20)
    machine.play(10, lambda index, _: change, pace=None)
    assert machine.findings() == {}


def test_gpus_that_always_draw_little_do_not_hang() -> None:
    machine = Machine()
    machine.play(20, waiting)
    machine.play(10, waiting, pace=None)
    assert machine.findings() == {}


def test_the_rank_that_is_elsewhere_may_idle() -> None:
    machine = Machine()
    machine.play(20)
    machine.play(
        10,
        lambda index, _: {"power": 130.0, "utilization": 0.0 if index == 6 else 100.0},
        pace=None,
    )
    assert machine.findings()["hung_collective"].facts["waiting"] == 7


@pytest.mark.parametrize("minutes", [2, 4])
def test_a_short_silence_is_not_a_hang(minutes: int) -> None:
    machine = Machine()
    machine.play(20)
    machine.play(minutes, waiting, pace=None)
    assert machine.findings() == {}


def test_a_saw_tooth_with_free_processors_and_a_steady_gpu_are_not_input_bound() -> None:
    free = Machine()
    free.play(15, saw_tooth, cpu=60.0)
    steady = Machine()
    steady.play(15, lambda index, _: {"utilization": 45.0}, cpu=97.0)
    assert free.findings() == steady.findings() == {}


def test_the_step_at_which_memory_is_full_is_named() -> None:
    facts = memory_growth().findings()["memory_growth"].facts
    # 0.98 × 80 GiB less 60 GiB and an hour's growth, at 100 MB per minute.
    left = (0.98 * 80 * GIB - 60 * GIB) / 1e8 - 60
    assert facts["minutes"] == pytest.approx(left, abs=3)
    assert facts["full_step"] == pytest.approx(3600 + left * 60, rel=0.05)
    assert facts["gpu"] == "GPU 3"


@pytest.mark.parametrize(
    "memory",
    [
        pytest.param(lambda s: 60 * GIB + min(s, 1200) / 60 * 1e8, id="a warm-up that ends"),
        pytest.param(lambda s: 60 * GIB + (s % 600) / 60 * 1e8, id="turns of eval and training"),
        pytest.param(lambda s: 60 * GIB + s * 1e4, id="a trickle"),
        pytest.param(lambda s: 60 * GIB + 5e9 * (s > 1800), id="one step up"),
    ],
)
def test_memory_that_does_not_grow_steadily_is_left_alone(memory: Any) -> None:
    machine = Machine(1)
    machine.play(60, lambda index, seconds: {"memory_used": int(memory(seconds))})
    assert machine.findings() == {}


def test_memory_that_lasts_to_the_end_of_the_run_is_left_alone() -> None:
    assert memory_growth().findings(remaining=3600.0) == {}


def test_heat_without_a_loss_of_pace_and_a_power_cap_are_left_alone() -> None:
    warm, capped = Machine(), Machine()
    warm.play(30)
    warm.play(6, hot)
    capped.play(30)
    capped.play(6, lambda index, _: {"throttle_reasons": ("power cap",)}, pace=14.0)
    assert warm.findings() == capped.findings() == {}


def test_gpus_of_several_clocks_have_no_slow_one() -> None:
    machine = Machine()
    machine.play(10, lambda index, _: {"sm_clock": 1.2e9 + 8e7 * index})
    assert machine.findings() == {}


def test_a_disk_with_room_or_without_another_checkpoint_is_left_alone() -> None:
    assert nearly_full(11 * GIB, 10 * GIB).findings(checkpoints=CHECKPOINTS) == {}
    full = nearly_full(8 * GIB, 10 * GIB)
    assert full.findings(checkpoints=CHECKPOINTS, total_steps=full.step) == {}
    assert full.findings(checkpoints=CHECKPOINTS[:1]) == {}


def test_a_process_that_logged_a_step_since_is_not_gone() -> None:
    machine = gone()
    machine.play(1)
    assert machine.findings() == {}


def test_a_run_of_unknown_length_may_have_ended_with_its_process() -> None:
    found = gone().findings(total_steps=None)["process_gone"]
    assert (found.severity, found.variant) == (Severity.NOTICE, "unknown_end")


@pytest.mark.parametrize(
    ("details", "variant", "severity"),
    [
        (GpuDetails(xids=(48,)), "", Severity.CRITICAL),
        (GpuDetails(ecc_uncorrected=2), "ecc", Severity.CRITICAL),
        (GpuDetails(remap_failed=True), "remap", Severity.WARNING),
    ],
)
def test_faults_of_a_gpu_have_their_own_words(
    details: GpuDetails, variant: str, severity: Severity
) -> None:
    found = with_details(details, others=FINE).findings()["gpu_error"]
    assert (found.variant, found.severity) == (variant, severity)


@pytest.mark.parametrize("details", [GpuDetails(xids=(13, 31, 43, 45)), GpuDetails()])
def test_errors_of_a_program_are_not_faults_of_a_gpu(details: GpuDetails) -> None:
    assert with_details(details, others=FINE).findings() == {}


def test_memory_errors_from_before_the_run_are_old() -> None:
    old = GpuDetails(ecc_uncorrected=5)
    assert with_details(old, others=old).findings() == {}


def test_a_lost_gpu_is_named() -> None:
    machine = Machine()
    machine.play(10)
    machine.play(0.5, lambda index, _: {"lost": True} if index == 4 else {})
    assert machine.findings() == {}, "a driver under load may take a while"
    machine.play(1, lambda index, _: {"lost": True} if index == 4 else {})
    assert advise(machine.findings()["gpu_error"]).evidence.startswith("GPU 4 does not answer")


def test_lanes_that_all_gpus_lack_are_the_design_of_the_machine() -> None:
    narrow = GpuDetails(pcie=PcieLink(4, 8, 4, 16))
    assert with_details(narrow, others=narrow).findings() == {}


def test_an_nvlink_that_is_down_is_found() -> None:
    found = with_details(GpuDetails(nvlinks=12), others=FINE).findings()["link_degraded"]
    assert advise(found).evidence == "GPU 1 has 12 NVLink connections, its peers 18"


def test_a_run_at_work_has_no_findings() -> None:
    machine = Machine(16)
    machine.play(60)
    assert machine.findings(checkpoints=CHECKPOINTS) == {}
