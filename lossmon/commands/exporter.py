"""`lossmon exporter`: runs as metrics for Prometheus."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lossmon.commands.arguments.inputs import existing, need_extra, settings_of, waited_for
from lossmon.commands.arguments.parsing import (
    add_paths,
    add_settings,
    new_parser,
    port,
    positive_number,
    whole_number,
)
from lossmon.ending import stopped_by_signals
from lossmon.errors import ConfigError
from lossmon.locale import message

_DESCRIPTION = """\
Serve the runs under PATH as metrics for Prometheus: loss, eval, step, rate, time left, state,
verdict, findings, and the hardware of this machine.

Listens on localhost only unless --host says otherwise. TLS and passwords come from the same
web configuration file that Prometheus' own exporters take."""

_EPILOG = """\
examples:
  lossmon exporter /data/runs --port 9712
  lossmon exporter /data/runs --host 0.0.0.0 --web-config web.yml

needs: pip install 'lossmon[prometheus]'

exit status:
  0  ended by a signal
  2  an argument or a setting is wrong

docs/cluster.md has the scrape configuration, alert rules and a dashboard."""

PORT = 9712
"""Port where the user names none; no exporter of the Prometheus project has it."""

DAY = 86400.0


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon exporter`."""
    parser = new_parser("lossmon exporter", _DESCRIPTION, _EPILOG)
    add_paths(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port",
        type=port,
        default=PORT,
        metavar="N",
        help=f"port to listen on, 0 for any free one (default: {PORT})",
    )
    parser.add_argument(
        "--web-config",
        type=Path,
        metavar="FILE",
        help="TLS and users, as for Prometheus' own exporters",
    )
    parser.add_argument(
        "--max-runs",
        type=positive_number,
        default=500,
        metavar="N",
        help="largest number of runs to export (default: 500)",
    )
    parser.add_argument(
        "--max-age",
        type=whole_number,
        default=14,
        metavar="DAYS",
        help="leave out runs that are silent for longer (default: 14)",
    )
    add_settings(parser, ("sensitivity", "hardware"))
    return parser


def run(options: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    config = settings_of(options)
    # Where a run is has to be clear on other machines too.
    paths = [path.absolute() for path in existing(options.paths, wait=True)]
    web_config = ("yaml", "bcrypt") if options.web_config is not None else ()
    need_extra("prometheus", "prometheus_client", *web_config)
    from lossmon.monitor import LocalSource, MonitorConfig
    from lossmon.prometheus.exporter import Exporter, ExporterConfig
    from lossmon.prometheus.web_config import WebConfig, read_web_config

    web = read_web_config(options.web_config) if options.web_config else WebConfig(None, {})
    source = LocalSource(paths, MonitorConfig.of(config), hardware=config.hardware)
    where = ExporterConfig(options.host, options.port, web, options.max_runs, options.max_age * DAY)
    try:
        exporter = Exporter(source, where)
    except OSError as error:
        address = f"{options.host}:{options.port}"
        raise ConfigError(f"cannot listen on {address}: {error.strerror or error}") from error
    for line in (*waited_for(paths), f"metrics at {exporter.url}"):
        print(f"lossmon: {message(line)}", file=sys.stderr, flush=True)
    with stopped_by_signals(exporter.stop):
        exporter.run()
    return 0
