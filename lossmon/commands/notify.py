"""`lossmon notify`: does every alert channel work?"""

from __future__ import annotations

import argparse
import time

from lossmon.commands.arguments.inputs import settings_of
from lossmon.commands.arguments.parsing import add_channels, add_settings, channel_flags, new_parser
from lossmon.errors import ConfigError

_DESCRIPTION = """\
Send a test alert to every channel of [alerts] in the settings and to those named here, and say
which of them took it. Quiet hours and severities do not apply to it."""

_EPILOG = """\
examples:
  lossmon notify --test
  lossmon notify --test --desktop --exec 'tee /tmp/alert.json'

exit status:
  0  every channel took the alert
  1  one did not; the reason is printed
  2  an argument or a setting is wrong, or there is no channel"""


def parser() -> argparse.ArgumentParser:
    """The parser of `lossmon notify`."""
    parser = new_parser("lossmon notify", _DESCRIPTION, _EPILOG)
    parser.add_argument("--test", action="store_true", required=True, help="send a test alert")
    add_channels(parser)
    add_settings(parser, ("lang",))
    return parser


def run(options: argparse.Namespace) -> int:
    """Send, and say what came of it."""
    config = settings_of(options)
    import platform

    from lossmon.alerts.alert import Message, own_alert
    from lossmon.alerts.channels import ChannelError
    from lossmon.alerts.settings import load
    from lossmon.types import Severity

    settings = load(config.alerts, f"{config.file}: [alerts]", flags=channel_flags(options))
    if not settings.channels:
        raise ConfigError("no alert channel: name one, such as --desktop, or set one in [alerts]")
    now, host = time.time(), platform.node() or "this machine"
    alert = own_alert("test", Severity.NOTICE, now, config.lang, {"host": host})
    failed = False
    for channel in settings.channels:
        try:
            channel.channel.send(Message((alert,), config.lang))
            print(f"{channel.name}: sent")
        except ChannelError as error:
            failed = True
            print(f"{channel.name}: failed: {error}")
    return int(failed)
