"""Scenes to show: made-up runs that look like real ones, and a monitor that holds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from lossmon.types import (
    UNJUDGED,
    Best,
    Confidence,
    Diagnosis,
    Finding,
    Floats,
    GpuProcess,
    GpuReading,
    HardwareReading,
    HostReading,
    Ints,
    Kind,
    Meaning,
    RunSnapshot,
    RunState,
    Series,
    Severity,
    Snapshot,
    Split,
    TextSample,
    VerdictChange,
)
from lossmon.ui.app import LossmonApp
from lossmon.ui.once import StillSource
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.terminal import Terminal

NOW = 1_790_000_000.0
"""The clock of the stage, seconds since the Unix epoch."""

GIB = 1 << 30

TRAIN_LOSS = Meaning("train/loss", "train loss", Split.TRAIN, Kind.LOSS, lower_is_better=True)
EVAL_LOSS = Meaning("eval/loss", "eval loss", Split.EVAL, Kind.LOSS, lower_is_better=True)


def series(meaning: Meaning, steps: Ints, values: Floats, spacing: float = 0.5) -> Series:
    """A series with the statistics that the store would give."""
    walls = NOW - 1 - (steps[-1] - steps) * spacing
    return Series.of_points(meaning.key, meaning, "stage", steps, values, walls)


def falling(n: int, *, start: float = 2.4, end: float = 0.5, noise: float = 0.05) -> Floats:
    """A train loss that falls as they do."""
    rng = np.random.default_rng(7)
    x = np.arange(n) / max(1, n)
    return np.asarray(end + (start - end) * np.exp(-4 * x) + rng.normal(0, noise, n))


def scalars(n: int) -> tuple[Series, ...]:
    """The usual company of a loss."""
    rng = np.random.default_rng(3)
    steps = np.arange(1, n + 1)
    x = steps / n
    rates = 2e-4 * (1 - 0.8 * x)
    norms = 1.2 + 0.3 * rng.standard_normal(n)
    speed = 18_000 + 600 * rng.standard_normal(n)
    evals = np.arange(50, n + 1, 50)
    accuracy = 0.5 + 0.27 * (1 - np.exp(-evals / 300))
    return (
        series(Meaning("learning_rate", "learning rate", kind=Kind.LEARNING_RATE), steps, rates),
        series(Meaning("grad_norm", "grad norm", kind=Kind.GRAD_NORM), steps, norms),
        series(Meaning("eval/accuracy", "eval accuracy", Split.EVAL, Kind.METRIC), evals, accuracy),
        series(
            Meaning("train/tokens_per_second", "tokens/s", kind=Kind.THROUGHPUT, unit="tok/s"),
            steps,
            speed,
        ),
    )


def run(
    finding: Finding,
    *,
    name: str = "sft-qwen-7b",
    train: Floats | None = None,
    evaluated: Floats | None = None,
    n: int = 1240,
    state: RunState = RunState.RUNNING,
    history: tuple[VerdictChange, ...] = (),
) -> RunSnapshot:
    """A run of `n` steps with an eval every fifty."""
    values = falling(n) if train is None else train
    all_series = [series(TRAIN_LOSS, np.arange(1, n + 1), values)]
    best = None
    if evaluated is not None:
        steps = np.arange(1, len(evaluated) + 1) * 50
        all_series.append(series(EVAL_LOSS, steps, evaluated))
        one = all_series[-1]
        best = Best(one.min_step, one.minimum, f"checkpoint-{one.min_step}")
    turns = history or (
        VerdictChange(40, "warming_up", Severity.NEUTRAL),
        VerdictChange(120, "healthy", Severity.OK),
    )
    return RunSnapshot(
        name=name,
        path=Path("/runs") / name,
        sources=("tensorboard", "hf_trainer"),
        state=state,
        step=n,
        total_steps=3000,
        epoch=1.24,
        total_epochs=3.0,
        steps_per_second=2.1,
        remaining=840.0,
        last_time=NOW - 1,
        series=(*all_series, *scalars(n)),
        train=0,
        eval=1 if evaluated is not None else None,
        diagnosis=Diagnosis(finding, (finding,), turns),
        best=best,
        log=LOG,
        log_name="train.log",
    )


LOG = (
    "{'loss': 0.6205, 'grad_norm': 1.32, 'learning_rate': 3.6e-05, 'epoch': 1.22}",
    "{'loss': 0.6120, 'grad_norm': 1.41, 'learning_rate': 3.5e-05, 'epoch': 1.24}",
    "Saving model checkpoint to ./output/checkpoint-1200",
    "tokenizer_config.json: UserWarning: [100/1000] brackets [red] stay [/x] brackets",
    "{'eval_loss': 1.62, 'eval_accuracy': 0.768, 'epoch': 1.2}",
)


def _eval(turning: float, rise: float) -> Floats:
    at = np.arange(1, 25) / 24
    bowl = 1.37 + 0.4 * np.exp(-6 * at) + rise * np.maximum(0, at - turning) ** 1.5
    return np.asarray(bowl)


HEALTHY = Finding(
    "healthy", Severity.OK, 120, Confidence.HIGH, {"level": 0.516, "drop_percent": 78}
)
OVERFITTING = Finding(
    "overfitting",
    Severity.WARNING,
    910,
    Confidence.HIGH,
    {"eval": 1.62, "best": 1.37, "best_step": 800, "rise_percent": 18, "evals": 5},
)
NON_FINITE = Finding(
    "non_finite",
    Severity.CRITICAL,
    812,
    Confidence.HIGH,
    {"step": 812, "series": "train loss", "times": 88},
)
WARMING = Finding("warming_up", Severity.NEUTRAL, 0, Confidence.HIGH)


def healthy() -> RunSnapshot:
    """Both losses fall."""
    return run(HEALTHY, evaluated=_eval(1.0, 0.0))


def overfitting() -> RunSnapshot:
    """The eval loss turned while the train loss falls on."""
    turns = (
        VerdictChange(40, "warming_up", Severity.NEUTRAL),
        VerdictChange(120, "healthy", Severity.OK),
        VerdictChange(910, "overfitting", Severity.WARNING),
    )
    return run(OVERFITTING, evaluated=_eval(0.6, 1.1), history=turns)


def non_finite() -> RunSnapshot:
    """The loss became NaN and stayed so."""
    values = falling(900)
    values[812:] = math.nan
    return run(
        NON_FINITE,
        name="grpo-7b-lr1e-5",
        n=900,
        train=values,
        evaluated=_eval(1.0, 0.0)[:17],
        history=(
            VerdictChange(40, "warming_up", Severity.NEUTRAL),
            VerdictChange(813, "non_finite", Severity.CRITICAL),
        ),
    )


def without_eval() -> RunSnapshot:
    """A run that never evaluates."""
    return run(HEALTHY, name="pretrain-1b")


def gpu(index: int, **changes: object) -> GpuReading:
    """A GPU at work for the run."""
    reading = GpuReading(
        index=index,
        name="NVIDIA H100 80GB HBM3",
        utilization=87.0 - index,
        memory_used=61 * GIB + GIB // 5,
        memory_total=80 * GIB,
        power=412.0 - 7 * index,
        power_limit=700.0,
        temperature=66.0 + index,
        sm_clock=1_755e6,
        processes=(GpuProcess(12_345 + index, "python", 60 * GIB, own=True),),
        utilization_history=tuple(70.0 + 20 * math.sin(i) for i in range(60)),
    )
    return replace(reading, **changes)  # type: ignore[arg-type]


HOST = HostReading("train-07", 34.0, 64, 112 * GIB, 503 * GIB, 1228 * GIB, 3800 * GIB)
TWO_GPUS = HardwareReading((gpu(0), gpu(1, throttle_reasons=("SW thermal",))), host=HOST)
EIGHT_GPUS = HardwareReading(
    (*(gpu(i) for i in range(6)), gpu(6, lost=True), gpu(7, throttle_reasons=("HW slowdown",))),
    host=HOST,
)
NO_GPU = HardwareReading(note="no NVIDIA driver on this machine", host=HOST)


def snapshot(*runs: RunSnapshot, hardware: HardwareReading = TWO_GPUS) -> Snapshot:
    """Runs on a machine."""
    return Snapshot(time=NOW, runs=runs, hardware=hardware)


def waiting() -> Snapshot:
    """Nothing was logged yet."""
    return Snapshot(time=NOW, hardware=TWO_GPUS, waiting_for="metrics in ./output")


def loading() -> RunSnapshot:
    """A long log that is half read."""
    return replace(healthy(), loaded=0.42)


def several() -> Snapshot:
    """Four runs in four states."""
    done = replace(healthy(), name="vit-s-in100", path=Path("/runs/vit"), state=RunState.FINISHED)
    bad = replace(non_finite(), state=RunState.FAILED, state_reason="CUDA out of memory")
    chinese = replace(without_eval(), name="中文实验-一号", path=Path("/runs/cn"))
    return snapshot(overfitting(), bad, done, chinese)


SCENES: dict[str, Callable[[], Snapshot]] = {
    "healthy": lambda: snapshot(healthy()),
    "overfitting": lambda: snapshot(overfitting()),
    "non-finite": lambda: snapshot(non_finite()),
    "no-eval": lambda: snapshot(without_eval()),
    "no-gpu": lambda: snapshot(overfitting(), hardware=NO_GPU),
    "eight-gpus": lambda: snapshot(overfitting(), hardware=EIGHT_GPUS),
    "waiting": waiting,
    "loading": lambda: snapshot(loading()),
    "several": several,
    "outputs": lambda: snapshot(answered()),
}
"""Every scene by name."""


PROMPTS = (
    ("Describe the car.", "The car is red and it has number 6."),
    ("Add 6 and 4.", "The sum of 6 and 4 is 10."),
    ("把这句话翻译成英文：今天天气很好。", "The weather is nice today."),
    ("Write a function that adds two numbers.", "def add(a, b):\n    return a + b"),
    ("Tell a story.", ""),
    ("Name a fruit.", "apple"),
)
ANSWERS = {
    400: (
        "A blue car.",
        "The sum is 12.",
        "今天 weather is good.",
        "def add(a, b)",
        "Once.",
        "pear",
    ),
    800: (
        "The car is red and it has number 7.",
        "The sum of 6 and 4 is 12.",
        "The weather today is very good.",
        "def add(a, b):\n    return a - b",
        "Once upon a time there was a model that read every book in the house. " * 9,
        "apple",
    ),
    1200: (
        "The car is red and it has number 6.",
        "The sum of 6 and 4 is 10.",
        "The weather is nice today.",
        "def add(a, b):\n\treturn a + b\n\nprint(add(1, 2))",
        "the end is " * 30,
        "",
    ),
}


def answered(*, only: tuple[int, ...] = (400, 800, 1200)) -> RunSnapshot:
    """A run that logged answers to six prompts at three steps."""
    samples = tuple(
        TextSample("eval", step, ANSWERS[step][at], prompt, expected)
        for at, (prompt, expected) in enumerate(PROMPTS)
        for step in only
    )
    return replace(overfitting(), samples=samples)


class Still(StillSource):
    """A source whose data do not change by themselves; it notes what it is asked for.

    Attributes:
        polls: Times it was polled.
        begun: Times it was told to begin.
        loaded: Paths whose settings files were asked for, per call.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.polls = self.begun = 0
        self.loaded: list[Collection[Path]] = []

    def poll(self, budget: float, *, judge: bool = True) -> Snapshot:
        self.polls += 1
        return super().poll(budget, judge=judge)

    def begin(self) -> None:
        self.begun += 1

    def load_settings(self, paths: Collection[Path]) -> None:
        self.loaded.append(paths)


def app(
    snapshot: Snapshot,
    *,
    config: ScreenConfig | None = None,
    terminal: Terminal | None = None,
) -> LossmonApp:
    """The app on a stage: the clock stands, the source holds the snapshot."""
    config = replace(config or ScreenConfig(), initial=snapshot)
    return LossmonApp(
        Still(snapshot),
        config,
        clock=lambda: NOW,
        terminal=terminal or Terminal(),
    )


def fleet(count: int = 200) -> Snapshot:
    """Many runs in every state, found in an order that means nothing."""
    kinds = (healthy(), overfitting(), non_finite(), without_eval())
    states = (
        RunState.RUNNING,
        RunState.FINISHED,
        RunState.FINISHED,
        RunState.STALLED,
        RunState.FAILED,
    )
    runs = []
    for at in range(count):
        number = at * 37 % count
        kind = kinds[number % 16 if number % 16 < 3 else 3 * (number % 2)]
        name = f"sweep-{number % 7}/lr{number % 5 + 1}e-4-seed{number}"
        runs.append(
            replace(
                kind,
                name=name,
                path=Path("/runs") / name,
                state=states[number % 11 if number % 11 < 5 else number % 3],
                last_time=NOW - 3.0 * number**2,
                settings={"lr": f"{number % 5 + 1}e-4"},
                diagnosis=UNJUDGED if number % 50 == 49 else kind.diagnosis,
            )
        )
    return snapshot(*runs)
