"""`lossmon demo`: watches a small real training."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from lossmon.commands.arguments.inputs import has_terminal, settings_of
from lossmon.commands.arguments.parsing import (
    add_no_color,
    add_out,
    add_screen_settings,
    new_parser,
    whole_number,
)
from lossmon.config import Config
from lossmon.ending import held_signals
from lossmon.locale import message

CASES = (
    "healthy",
    "overfit",
    "underfit",
    "oscillate",
    "plateau",
    "diverge",
    "nan",
    "mismatch",
    "easy-eval",
)
"""Cases of the demo."""

ALL = "all"
"""Name of all cases at once."""

PROCESSES = 2
"""Processes that share the trainings."""

_DESCRIPTION = """\
Train a small model in a child process, and watch it.

The model is optimised with numpy on a train and an eval set, and writes TensorBoard events, a
trainer_log.jsonl and a text log. Every case is a real training whose hyperparameters or data cause
the condition; no curve is made up."""

_EPILOG = """\
examples:
  lossmon demo
  lossmon demo --case all
  lossmon demo --case nan --out nan-run
  lossmon demo --case diverge --headless --speed 0 --out run && lossmon check run

exit status:
  0  a normal end
  2  an argument or a setting is wrong, or the directory of --out is not empty"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon demo`."""
    parser = new_parser("lossmon demo", _DESCRIPTION, _EPILOG)
    parser.add_argument(
        "--case",
        choices=(*CASES, ALL),
        default="overfit",
        help="condition to show, or all of them side by side (default: overfit)",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="1 takes 35 seconds, 2 half of that, 0 is as fast as possible (default: 1)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number,
        default=0,
        metavar="N",
        help="seed of the data and the weights (default: 0)",
    )
    add_out(parser, "directory to keep the run in")
    parser.add_argument("--headless", action="store_true", help="train only, without a screen")
    add_no_color(parser)
    add_screen_settings(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Train, and watch or print the verdict."""
    from lossmon.demo.launch import directories, prepare

    config = settings_of(options)
    out = options.out or (Path(f"lossmon-demo-{options.case}") if options.headless else None)
    if out is not None:
        for needed in directories(_cases(options), out):
            prepare(needed)
        if options.headless:
            return _train(options, out)
    run = _watch if has_terminal() else _judge
    if out is not None:
        return run(options, out, config)
    import tempfile

    with held_signals():
        kept = tempfile.TemporaryDirectory(prefix="lossmon-demo-")
    with kept as directory:
        return run(options, Path(directory) / str(options.case), config)


def _cases(options: argparse.Namespace) -> tuple[str, ...]:
    return CASES if options.case == ALL else (options.case,)


def _train(options: argparse.Namespace, out: Path) -> int:
    from lossmon.demo.__main__ import main as train

    text = message(f"training {options.case!r} in {out}")
    print(f"lossmon: {text}", file=sys.stderr, flush=True)
    arguments = [part for case in _cases(options) for part in ("--case", case)]
    arguments += ["--out", str(out), "--seed", str(options.seed)]
    return train([*arguments, "--speed", str(options.speed)])


def _judge(options: argparse.Namespace, out: Path, config: Config) -> int:
    """Train and print the verdict if the output is not a terminal."""
    from lossmon.reports.check import Style, check

    text = message("not a terminal; the verdict is printed after the training")
    print(f"lossmon: {text}", file=sys.stderr)
    if status := _train(options, out):
        return status
    style = Style(config.lang, history=True)
    check([out], config, sys.stdout, "text", style)
    return 0


def _watch(options: argparse.Namespace, out: Path, config: Config) -> int:
    from lossmon.demo.cards import end_card, opening_card
    from lossmon.demo.launch import start, stop
    from lossmon.monitor import LocalSource, MonitorConfig
    from lossmon.ui.launch import view
    from lossmon.ui.text.lines import wrap

    cases = _cases(options)
    card = opening_card(cases, options.speed, config.lang)
    print(card, file=sys.stderr, flush=True)
    settings = MonitorConfig.of(config)
    source = LocalSource([out], settings, hardware=config.hardware, notes=(card,))
    shares = [cases[at::PROCESSES] for at in range(min(PROCESSES, len(cases)))]
    trainings = []
    try:
        for share in shares:
            trainings.append(start(share, out, options.seed, options.speed))
        status = view(source, config)
    finally:
        for training in trainings:
            stop(training)
    runs = source.drain().runs
    kept = out if options.out is not None else None
    columns = shutil.get_terminal_size().columns
    for line in end_card(runs, kept, config.lang):
        indent = " " * (len(line) - len(line.lstrip()))
        print(*(indent + part for part in wrap(line.strip(), columns - len(indent))), sep="\n")
    return status


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= speed <= 1000:
        raise argparse.ArgumentTypeError("must be from 0 to 1000")
    return speed
