"""Arguments → Config → the screen, a report or the demo."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path

from lossmon.arguments import command_parser, view_parser
from lossmon.config import SETTINGS, Config, Value, config_directory, describe, load
from lossmon.errors import ConfigError, LossmonError

USAGE_ERROR = 2
"""Exit status where the arguments or the settings are wrong."""

NO_METRICS = 3
"""Exit status where there was nothing to judge."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    # Nothing here multiplies matrices: without this numpy starts a thread for each core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, TextIOWrapper):
        # A locale without Chinese or an em dash must cost a character, not the answer.
        sys.stdout.reconfigure(errors="replace")
    try:
        if arguments and arguments[0] in _COMMANDS:
            name, *rest = arguments
            return _COMMANDS[name](command_parser(name).parse_args(rest))
        return _view(view_parser().parse_args(arguments))
    except LossmonError as error:
        print(f"lossmon: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`lossmon check … | head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _settings(options: argparse.Namespace) -> Config:
    flags: dict[str, Value | None] = {
        name: getattr(options, name)
        for name in ("theme", "smoothing", "x_axis", "log_y", "lang", "charset", "sensitivity")
        if hasattr(options, name)
    }
    if getattr(options, "no_hardware", False):
        flags["hardware"] = False
    file: Path | None = getattr(options, "config", None)
    if file is not None and not file.is_file():
        wrong = "is no file" if file.exists() else "there is no such file"
        raise ConfigError(f"--config {file}: {wrong}")
    # The home of somebody else, after `su` or `sudo`, holds no settings for us.
    usual = config_directory() / "config.toml"
    return load(file or (usual if os.access(usual, os.R_OK) else None), os.environ, flags)


def _existing(paths: Sequence[Path]) -> list[Path]:
    """The paths, if all are there and may be looked into.

    Raises:
        ConfigError: One is not; says which and what lossmon can read.
    """
    for path in paths:
        try:
            fault = _fault(path)
        except OSError as error:
            fault = error.strerror or str(error)
        if fault:
            raise ConfigError(f"{path}: {fault}")
    return list(paths)


def _fault(path: Path) -> str:
    """Why a path cannot be watched, or nothing."""
    if not path.exists():
        linked = path.is_symlink()
        return "this link points nowhere" if linked else "there is no such file or directory"
    if not (path.is_dir() or path.is_file()):
        return "is neither a file nor a directory"
    readable = os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
    return "" if readable else "may not be read by this user"


def _view(options: argparse.Namespace) -> int:
    config = _settings(options)
    paths = _existing(options.paths or [Path()])
    where = " ".join(str(path) for path in paths)
    _need_terminal(f"`lossmon check {where}` prints the same verdict")
    # What is imported and made from here to the first frame stays: looking for garbage in it
    # would take a tenth of the time.
    gc.disable()
    from lossmon.ui.launch import view

    return view(paths, config)


def _check(options: argparse.Namespace) -> int:
    gc.disable()
    from lossmon.reports.check import check, fails

    gc.enable()
    config = _settings(options)
    runs = check(_existing(options.paths), config, sys.stdout, options.json, options.history)
    return int(fails(runs, options.fail_on)) if runs else _no_metrics(options.paths)


def _no_metrics(paths: Sequence[Path]) -> int:
    """Say that nothing was found, and what would be."""
    from lossmon.readers.registry import recognised

    shown = ", ".join(str(path) for path in paths)
    print(f"lossmon: no metrics found in {shown}", file=sys.stderr)
    print("lossmon explain says of each file why it is not read", file=sys.stderr)
    print(f"lossmon reads: {'; '.join(recognised())}", file=sys.stderr)
    return NO_METRICS


def _report(options: argparse.Namespace) -> int:
    from lossmon.ui.export.command import report

    config = _settings(options)
    written = report(_existing(options.paths), config, options.out, options.csv)
    for path in written:
        print(path)
    return 0 if written else _no_metrics(options.paths)


def _explain(options: argparse.Namespace) -> int:
    from lossmon.reports.explain import explain

    config = _settings(options)
    read = explain(_existing(options.paths), config, sys.stdout, options.line)
    return 0 if read else NO_METRICS


def _serve(options: argparse.Namespace) -> int:
    # The screens check the settings too, but a wrong one should not need a browser to be seen.
    _settings(options)
    paths = _existing(options.paths or [Path()])
    from lossmon.ui.web.command import serve

    return serve(paths, _flags(options), options.host, options.port, partial(print, flush=True))


def _flags(options: argparse.Namespace) -> list[str]:
    """The settings that were given, as the screen's own command takes them."""
    flags = []
    for setting in SETTINGS:
        value = getattr(options, setting.name, None)
        flag = "--" + setting.name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else flag.replace("--", "--no-", 1))
        elif value is not None:
            flags += [flag, str(value)]
    if options.no_hardware:
        flags.append("--no-hardware")
    if options.config is not None:
        flags += ["--config", str(options.config.resolve())]
    return flags


def _demo(options: argparse.Namespace) -> int:
    config = _settings(options)
    if options.headless:
        return _train(options, options.out or Path(f"lossmon-demo-{options.case}"))
    run = _watch_demo if _has_terminal() else _judge_demo
    if options.out is not None:
        return run(options, options.out, config)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lossmon-demo-") as kept:
        return run(options, Path(kept) / str(options.case), config)


def _train(options: argparse.Namespace, out: Path) -> int:
    from lossmon.demo.__main__ import main as train

    print(f"lossmon: training {options.case!r} in {out}", file=sys.stderr, flush=True)
    arguments = ["--case", options.case, "--out", str(out)]
    return train([*arguments, "--seed", str(options.seed), "--speed", str(options.speed)])


def _judge_demo(options: argparse.Namespace, out: Path, config: Config) -> int:
    """Train and print the verdict: what is left of the demo where there is no terminal."""
    from lossmon.reports.check import check

    print("lossmon: this is no terminal, so there is no screen", file=sys.stderr)
    if status := _train(options, out):
        return status
    check([out], config, sys.stdout, as_json=False, history=True)
    return 0


def _watch_demo(options: argparse.Namespace, out: Path, config: Config) -> int:
    from lossmon.demo.launch import start, stop
    from lossmon.ui.launch import view

    training = start(options.case, out, options.seed, options.speed)
    try:
        return view([out], config)
    finally:
        stop(training)


def _has_terminal() -> bool:
    # In a browser the terminal is at the other end of a pipe that textual-serve holds.
    served = "TEXTUAL_DRIVER" in os.environ
    return served or (sys.stdout.isatty() and sys.stdin.isatty())


def _need_terminal(instead: str) -> None:
    if not _has_terminal():
        raise ConfigError(f"this is no terminal; {instead}")


def _config(options: argparse.Namespace) -> int:
    file = options.config or config_directory() / "config.toml"
    config = _settings(options)
    state = "" if os.access(file, os.R_OK) else "  (not there: defaults hold)"
    print(f"# {file}{state}")
    print("\n".join(describe(config)))
    return 0


_COMMANDS = {
    "check": _check,
    "explain": _explain,
    "report": _report,
    "serve": _serve,
    "demo": _demo,
    "config": _config,
}

if __name__ == "__main__":
    sys.exit(main())
