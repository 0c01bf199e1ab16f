"""`lossmon watch`: alerts without a screen."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lossmon.commands.arguments.inputs import settings_of, waited_for
from lossmon.commands.arguments.parsing import (
    add_channels,
    add_paths,
    add_settings,
    channel_flags,
    new_parser,
    positive_number,
    whole_number,
)
from lossmon.commands.arguments.sources import open_source
from lossmon.errors import ConfigError

if TYPE_CHECKING:
    from lossmon.alerts.early_stop import EarlyStop, TargetProcess
    from lossmon.alerts.journal import AlertJournal

_DESCRIPTION = """\
Watch runs without a screen, for days, and send an alert when a verdict comes, gets worse or a run
stalls, fails or ends. Each alert is printed and goes to the channels that are named here or in
[alerts] of the settings.

A path that does not exist yet is waited for, if the directory that it will be in exists.

Every alert is sent once, also after a crash or a reboot: start the same command again."""

_EPILOG = """\
examples:
  lossmon watch runs --on warning,finished --tmux --desktop
  lossmon watch runs --exec './page-me --urgent'
  lossmon watch runs --webhook https://example.org/hook --apprise ntfy://my-topic
  lossmon watch ./output --stop-file './output/STOP' --patience 3
  lossmon watch ./output --stop-on non_finite --signal TERM --pid 4242

early stopping: the run is asked to stop once a verdict of --stop-on has stood for --patience evals.
  A stop file is honoured by the callbacks of lossmon.integrations, or by a line of your own.

exit status:
  0  ended by a signal
  2  an argument or a setting is wrong, or another watch follows these paths"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon watch`."""
    parser = new_parser("lossmon watch", _DESCRIPTION, _EPILOG)
    add_paths(parser)
    parser.add_argument(
        "--on",
        metavar="CODES",
        help="what to alert on: notice, warning or critical, and codes of verdicts, "
        "stalled, failed, finished, separated by commas (default: warning)",
    )
    parser.add_argument("--resolved", action="store_true", help="also alert when a condition ends")
    parser.add_argument("--json", action="store_true", help="print one JSON object per alert")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="journal of what was sent (default: in the user's state directory, by the paths)",
    )
    add_channels(parser)
    _add_stopping(parser)
    add_settings(parser, ("lang", "sensitivity"))
    return parser


def _add_stopping(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("early stopping")
    group.add_argument(
        "--stop-file",
        metavar="FILE",
        help="create this file; {path} stands for the run's own directory",
    )
    group.add_argument("--signal", metavar="NAME", help="signal for --pid (default: TERM)")
    group.add_argument("--pid", type=positive_number, metavar="N", help="process to signal")
    group.add_argument(
        "--stop-on",
        metavar="CODES",
        help="verdicts that stop a run (default: diverging,non_finite,overfitting)",
    )
    group.add_argument(
        "--patience",
        type=whole_number,
        default=3,
        metavar="N",
        help="evals that must confirm the verdict (default: 3)",
    )


def run(options: argparse.Namespace) -> int:
    """Watch until a signal asks to end."""
    config = settings_of(options)
    # A journal is of the same places wherever the command was started.
    places = [one.absolute() if isinstance(one, Path) else one for one in options.paths]
    source = open_source(places, config, hardware=config.hardware, wait=True)
    from lossmon.alerts.journal import AlertJournal, journal_file
    from lossmon.alerts.settings import load
    from lossmon.alerts.watching import watch
    from lossmon.monitor import MonitorConfig

    on = [] if options.on is None else [word for word in options.on.split(",") if word.strip()]
    flags = [*channel_flags(options), ("print", {"json": options.json})]
    where = f"{config.file}: [alerts]"
    settings = load(config.alerts, where, on=on, resolved=options.resolved, flags=flags)
    journal = AlertJournal(options.state or journal_file(places), time.time())
    stop = _early_stop(options, config.lang, journal)
    channels = [channel.name for channel in settings.channels if channel.name != "print"]
    sent = f" and sent by {', '.join(channels)}" if channels else ""
    lines = [f"watching {', '.join(map(str, places))}; alerts are printed{sent}"]
    if journal.aside is not None:
        aside = f"it is {journal.aside} now, and alerts may come again"
        lines.append(f"{journal.file} could not be used; {aside}")
    lines += waited_for(places)
    watch(
        source,
        MonitorConfig.of(config),
        settings,
        journal,
        language=config.lang,
        early_stop=stop,
        opening=lines,
    )
    return 0


def _early_stop(
    options: argparse.Namespace, language: str, journal: AlertJournal
) -> EarlyStop | None:
    if options.signal and options.pid is None:
        raise ConfigError("--signal needs --pid")
    if options.stop_file is None and options.pid is None:
        if options.stop_on:
            raise ConfigError("--stop-on needs --stop-file or --pid")
        return None
    from lossmon.alerts.early_stop import CODES, EarlyStop, StopRule, signal_of
    from lossmon.diagnosis.advice import codes

    chosen = tuple(options.stop_on.split(",")) if options.stop_on else CODES
    for code in chosen:
        if code not in codes():
            raise ConfigError(f"--stop-on {code!r}: use {', '.join(codes())}")
    try:
        number = signal_of(options.signal or "TERM")
    except ValueError as error:
        raise ConfigError(f"--signal: {error}") from error
    target = None if options.pid is None else _target(options.pid, journal)
    return EarlyStop(
        StopRule(chosen, options.patience), options.stop_file, target, number, language
    )


def _target(pid: int, journal: AlertJournal) -> TargetProcess | None:
    """The process to signal: the one that had the number when the watch first began."""
    from lossmon.alerts.early_stop import ProcessGone, TargetProcess
    from lossmon.alerts.watching import warn

    known = journal.fact("process")
    started = known["started"] if known and known["pid"] == pid else None
    try:
        target = TargetProcess(pid, started)
    except ProcessGone as error:
        warn(f"--pid {pid}: {error}; nothing will be signalled")
        return None
    journal.set_fact("process", {"pid": pid, "started": target.started})
    return target
