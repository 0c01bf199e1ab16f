"""The command line in words: parsers and their help texts, nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from lossmon import __version__
from lossmon.config import SETTINGS, Setting

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
"""Trainings that the demo offers."""

_SETTINGS_FILE = "~/.config/lossmon/config.toml"

_VIEW = """\
Watch training runs live: loss curves, hardware, and a diagnosis that says what the curves mean.

PATH is what a training writes: an output directory, a log file, or a directory of several
runs. Nothing in the training code changes. A directory that is still empty is waited for.
Without PATH the current directory is watched."""

_VIEW_MORE = """\
commands:
  lossmon PATH...          watch (q quits, ? lists the keys)
  lossmon explain PATH...  say which reader takes each file, why, and what it gives
  lossmon check PATH...    print the verdict without a screen, as text or JSON
  lossmon report PATH...   write a page of HTML for each run
  lossmon serve PATH...    show the screen in a browser on this machine
  lossmon demo             watch a small real training, healthy or ill on purpose
  lossmon config           print the settings in force and where each came from

A directory that is called like a command is watched as ./check.

examples:
  lossmon ./output
  lossmon runs/a runs/b train.log
  python train.py 2>&1 | tee train.log      and, beside it:  lossmon train.log

exit status: 0 after a normal end, 2 where an argument or a setting is wrong.
Settings come from defaults, then {file}, then LOSSMON_* variables, then flags."""

_CHECK = """\
Print the diagnosis of finished or running trainings, without a terminal.

The verdict, its evidence and its history are those that the screen would have shown live."""

_CHECK_MORE = """\
exit status:
  0  nothing at or above --fail-on
  1  something is
  2  an argument or a setting is wrong
  3  no metrics were found

examples:
  lossmon check ./output
  lossmon check runs/* --json | jq -r '[.run, .verdict.code] | @tsv'
  lossmon check ./output --fail-on warning || echo "look at the run\""""

_REPORT = """\
Write a page of HTML for each run: its verdict, its curves, its metrics and its settings.

The page needs no script and fetches nothing, so it can be mailed or kept beside the weights."""

_REPORT_MORE = """\
exit status:
  0  the pages are written; their names are printed
  2  an argument or a setting is wrong, or a file cannot be written
  3  no metrics were found

examples:
  lossmon report ./output
  lossmon report runs --out pages --csv"""

_SERVE = """\
Show the same screen in a browser.

Only this machine is listened to unless --host says otherwise, and only who has the token that is
printed is let in. Every browser tab is a screen of its own."""

_SERVE_MORE = """\
examples:
  lossmon serve ./output
  ssh -L 8000:localhost:8000 trainbox       and, there:  lossmon serve ./output"""

_DEMO = """\
Train a small model for real, in a child process, and watch it.

The model is optimised in plain numpy on a train and an eval set, and writes TensorBoard
events, a trainer_log.jsonl and a text log. Every case is a real training whose
hyperparameters or data cause the condition; no curve is drawn by hand."""

_EXPLAIN = """\
Say which reader takes each file and why, what comes out of it, and what each kind of line of a
text log gives: what is taken, what is left, and the reason."""

_EXPLAIN_MORE = """\
exit status:
  0  something is read
  2  an argument or a setting is wrong
  3  no reader takes anything

examples:
  lossmon explain ./output
  lossmon explain train.log --line 120

A log that nothing recognises can be read by a pattern of your own, in [patterns] of {file}."""

_CONFIG = "Print the settings in force, as TOML, each with where it came from."


def view_parser() -> argparse.ArgumentParser:
    """The parser of `lossmon PATH...`."""
    parser = _parser("lossmon", _VIEW, _VIEW_MORE.format(file=_SETTINGS_FILE))
    parser.add_argument("--version", action="version", version=f"lossmon {__version__}")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="what to watch")
    _add_screen_settings(parser)
    return parser


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command: `check`, `explain`, `report`, `serve`, `demo` or `config`."""
    build = {
        "check": _check_parser,
        "explain": _explain_parser,
        "report": _report_parser,
        "serve": _serve_parser,
        "demo": _demo_parser,
        "config": _config_parser,
    }
    return build[name]()


def _check_parser() -> argparse.ArgumentParser:
    parser = _parser("lossmon check", _CHECK, _CHECK_MORE)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="what to judge")
    parser.add_argument("--json", action="store_true", help="one JSON object a run and line")
    parser.add_argument("--history", action="store_true", help="add how the verdict changed")
    parser.add_argument(
        "--fail-on",
        choices=("notice", "warning", "critical"),
        default="critical",
        help="severity from which the exit status is 1 (default: critical)",
    )
    _add_settings(parser, ("lang", "sensitivity"))
    return parser


def _explain_parser() -> argparse.ArgumentParser:
    parser = _parser("lossmon explain", _EXPLAIN, _EXPLAIN_MORE.format(file=_SETTINGS_FILE))
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="what to explain")
    parser.add_argument("--line", type=_line, metavar="N", help="one line of a log in detail")
    _add_settings(parser, ())
    return parser


def _report_parser() -> argparse.ArgumentParser:
    parser = _parser("lossmon report", _REPORT, _REPORT_MORE)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="what to tell of")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=Path(), help="where to write (default: here)"
    )
    parser.add_argument("--csv", action="store_true", help="write the points too")
    _add_settings(parser, ("smoothing", "x_axis", "log_y", "lang", "sensitivity"))
    return parser


def _serve_parser() -> argparse.ArgumentParser:
    parser = _parser("lossmon serve", _SERVE, _SERVE_MORE)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="what to watch")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="0 takes any (default: 8000)"
    )
    _add_screen_settings(parser)
    return parser


def _demo_parser() -> argparse.ArgumentParser:
    parser = _parser("lossmon demo", _DEMO, "")
    parser.add_argument(
        "--case",
        choices=CASES,
        default="overfit",
        help="what goes well or wrong (default: overfit)",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="1 takes about a minute, 2 half of it, 0 as fast as the machine can (default: 1)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="another data set and start (default: 0)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the run in DIR")
    parser.add_argument("--headless", action="store_true", help="train only, without a screen")
    _add_screen_settings(parser)
    return parser


def _config_parser() -> argparse.ArgumentParser:
    parser = _parser("lossmon config", _CONFIG, "")
    _add_screen_settings(parser)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line: the usage of all flags would push it off the screen."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    return _Parser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= speed <= 1000:
        raise argparse.ArgumentTypeError("must be from 0 to 1000")
    return speed


def _line(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**12):
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a line, from 1")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _add_screen_settings(parser: argparse.ArgumentParser) -> None:
    names = tuple(s.name for s in SETTINGS if s.name not in ("hardware", "outliers"))
    _add_settings(parser, names)
    parser.add_argument(
        "--no-hardware", action="store_true", help="do not sample GPUs and the host"
    )


def _add_settings(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    group = parser.add_argument_group("settings")
    for setting in SETTINGS:
        if setting.name in names:
            _add_setting(group, setting)
    group.add_argument("--config", type=Path, metavar="FILE", help="settings file to read")


def _add_setting(group: argparse._ArgumentGroup, setting: Setting) -> None:
    flag = "--" + setting.name.replace("_", "-")
    text = f"{setting.meaning} (default: {setting.default})"
    if isinstance(setting.default, bool):
        group.add_argument(
            flag, dest=setting.name, action=argparse.BooleanOptionalAction, help=setting.meaning
        )
    elif setting.choices:
        group.add_argument(flag, dest=setting.name, choices=setting.choices, help=text)
    elif isinstance(setting.default, float):
        group.add_argument(flag, dest=setting.name, type=float, metavar="X", help=text)
    else:
        group.add_argument(flag, dest=setting.name, metavar="NAME", help=text)
