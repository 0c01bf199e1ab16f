"""Channel for every service that Apprise knows: mail, Slack, Telegram, ntfy, DingTalk, …"""

from __future__ import annotations

import logging

from lossmon.alerts.alert import Message
from lossmon.alerts.channels import ChannelError
from lossmon.errors import ConfigError
from lossmon.types import Severity

MISSING = "Apprise is not installed; run: pip install 'lossmon[notify]'"


class AppriseService:
    """Sends the title and the text to one Apprise URL.

    Args:
        url: As https://github.com/caronc/apprise/wiki describes, such as `mailto://…`.
    """

    def __init__(self, url: str) -> None:
        try:
            from apprise import Apprise
        except ImportError as error:
            raise ConfigError(MISSING) from error
        self._service = Apprise()
        if not self._service.add(url):
            # The address may hold a password: only its kind is named.
            raise ConfigError(f"Apprise does not understand this {url.partition(':')[0]} address")

    def send(self, message: Message) -> None:
        kind = "failure" if message.severity >= Severity.CRITICAL else "warning"
        reasons = _Reasons()
        log = logging.getLogger("apprise")
        log.addHandler(reasons)
        try:
            taken = self._service.notify(
                title=f"lossmon: {message.title}",
                body=message.body or message.title,
                notify_type=kind if message.severity >= Severity.WARNING else "info",
            )
        except Exception as error:
            # Plugins of Apprise are many and of several authors.
            raise ChannelError(f"{type(error).__name__}: {error}") from error
        finally:
            log.removeHandler(reasons)
        if not taken:
            raise ChannelError(reasons.text or "Apprise could not send it")


class _Reasons(logging.Handler):
    """Keeps the last warning, since Apprise itself returns only whether it worked."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()
