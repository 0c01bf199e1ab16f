"""`lossmon serve`: opens the door, prints the address, and waits."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from aiohttp import web

from lossmon.ending import stopped_by_signals
from lossmon.errors import ConfigError
from lossmon.ui.web.server import PARAMETER, Door, Screens, is_local

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
"""What the terminal in the browser is, whatever the one is in which the command was typed."""


def serve(
    paths: Sequence[Path],
    flags: Sequence[str],
    host: str,
    port: int,
    tell: Callable[[str], None],
) -> int:
    """Show the screen to browsers until Ctrl+C or a signal.

    Args:
        paths: What to watch.
        flags: Further arguments of the screen's own command.
        host: Name or address to listen on.
        port: Port to listen on; 0 takes any that is free.
        tell: Prints a line for the user.

    Returns:
        Exit status.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    sock = _listen(host, port)
    port = sock.getsockname()[1]
    token = secrets.token_urlsafe(24)
    arguments = [sys.executable, "-m", "lossmon", *flags, "--", *(str(p.resolve()) for p in paths)]
    os.environ.update(TERMINAL)
    os.environ.pop("NO_COLOR", None)
    # Without `exec` a shell would stand between each screen and us, and hide our end from it.
    command = f"exec {shlex.join(arguments)}"
    screens = Screens(command, host, port, Door(token, port, local=is_local(host)))
    asyncio.run(_run(screens, sock, partial(_greet, tell, host, port, token)))
    return 0


def _greet(tell: Callable[[str], None], host: str, port: int, token: str) -> None:
    """Print the address; the server does not answer before."""
    shown = f"[{host}]" if ":" in host else host
    tell(f"http://{shown}:{port}/?{PARAMETER}={token}")
    if is_local(host):
        tell(f"from elsewhere: ssh -L {port}:localhost:{port} THIS-MACHINE, then the same address")
    else:
        tell("everybody on this network who knows the address can watch; traffic is not encrypted")
    tell("Ctrl+C ends it")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, proto)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise ConfigError(f"--host {host} --port {port}: {error.strerror or error}") from error
    try:
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise ConfigError(f"--host {host} --port {port}: {error.strerror or error}") from error
    return sock


async def _run(screens: Screens, sock: socket.socket, greet: Callable[[], None]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(await screens.make_app(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        with stopped_by_signals(lambda: loop.call_soon_threadsafe(ended.set)):
            await web.SockSite(runner, sock).start()
            greet()
            await ended.wait()
    finally:
        await runner.cleanup()
