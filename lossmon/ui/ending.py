"""Ends the screen as it should end, whoever asks for it."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from textual.app import App

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program; Ctrl+C is a key while the screen is up."""


async def run_until_asked(app: App[None]) -> int:
    """Run an app until the user quits, or until a signal asks it to end.

    A process that simply died would leave the terminal without a cursor and without echo.

    Returns:
        Exit status, 128 and the signal's number where it was a signal.
    """
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
    try:
        await app.run_async()
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
    return app.return_code or 0
