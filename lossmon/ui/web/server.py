"""Web server of the screen, and its access checks: token, origin of the page, host name."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import json
import logging
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from lossmon.ending import stopped_by_signals
from lossmon.errors import ConfigError
from lossmon.locale import message

PAGE = Path(__file__).parent / "page.html"
PARTS = ("page.css", "page.js")

MOST_SCREENS = 8
"""Screens at a time: each is a process of its own that reads the logs again."""

LARGEST_MESSAGE = 1 << 16
"""Bytes of a message from the browser: keys, mouse events, and what is pasted."""

WIDEST, HIGHEST = 500, 200
"""Columns and rows of a screen; the memory of a screen grows with their product."""

GRACE = 3.0
"""Seconds that a screen has to end when its tab is closed; then it is killed."""


class ScreenProcess(AppService):
    """The process of one screen, which ends when it is asked to, or is killed."""

    async def stop(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        if self._task is None or self._process is None:
            return
        try:
            await asyncio.wait_for(super().stop(), GRACE)
        except TimeoutError:
            self._task = None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class Screens(Server):
    """Serves the screen, one process per browser tab."""

    def __init__(self, command: str, host: str, port: int, door: Door) -> None:
        super().__init__(command, host=host, port=port, title="lossmon")
        self._door = door
        self._open = 0
        self._endings: set[asyncio.Task[None]] = set()

    async def make_app(self) -> web.Application:
        """The application that a runner serves."""
        app = web.Application(middlewares=[self._door.__call__])
        app.add_routes(
            [
                web.get("/", self.handle_page),
                *(web.get(f"/{name}", self.handle_part) for name in PARTS),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        app.on_cleanup.append(self._end_all)
        return app

    async def handle_page(self, request: web.Request) -> web.StreamResponse:
        """The page that holds the terminal."""
        return web.FileResponse(PAGE)

    async def handle_part(self, request: web.Request) -> web.StreamResponse:
        """What the page is made of. The router knows no other names than `PARTS`."""
        return web.FileResponse(PAGE.parent / request.path.lstrip("/"))

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One screen, for as long as the browser looks at it."""
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=LARGEST_MESSAGE)
        if not socket.can_prepare(request):
            raise web.HTTPBadRequest(text="lossmon: this address is for the page alone\n")
        if self._open >= MOST_SCREENS:
            raise web.HTTPServiceUnavailable(text=f"lossmon: {MOST_SCREENS} screens are open\n")

        async def close() -> None:
            await socket.close()

        self._open += 1
        try:
            await socket.prepare(request)
            screen = ScreenProcess(
                self.command,
                write_bytes=socket.send_bytes,
                write_str=socket.send_str,
                close=close,
                download_manager=self.download_manager,
            )
            width, height = size(request.query.get("width"), request.query.get("height"))
            try:
                await screen.start(width, height)
                await self._process_messages(socket, screen)
            finally:
                # The tab is gone: its process ends on its own time, a new tab need not wait.
                self._end(screen)
        finally:
            self._open -= 1
        return socket

    async def _process_messages(
        self, websocket: web.WebSocketResponse, app_service: AppService
    ) -> None:
        """Pass on what the browser sends; a message that it would not send closes the screen."""
        async for sent in websocket:
            if sent.type != WSMsgType.TEXT or not await _pass_on(sent.data, app_service):
                break
        if not websocket.closed:
            await websocket.close(code=1008, message=b"not a message of the page")

    def _end(self, screen: ScreenProcess) -> None:
        task = asyncio.create_task(screen.stop())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _end_all(self, app: web.Application) -> None:
        await asyncio.gather(*self._endings, return_exceptions=True)


async def _pass_on(text: str, screen: AppService) -> bool:
    """Pass a message to the process; False where it is not one of the page's messages."""
    try:
        kind, *rest = json.loads(text)
        if kind == "stdin":
            return await screen.send_bytes(str(rest[0]).encode(errors="replace"))
        if kind == "resize":
            await screen.set_terminal_size(*size(rest[0]["width"], rest[0]["height"]))
        elif kind == "ping":
            await screen.remote_write_str(json.dumps(["pong", rest[0]]))
        elif kind in ("blur", "focus"):
            await (screen.blur() if kind == "blur" else screen.focus())
        return True
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return False


def size(width: Any, height: Any) -> tuple[int, int]:
    """Columns and rows that a screen may have, given what a browser asks for."""
    return _clamped(width, 80, WIDEST), _clamped(height, 24, HIGHEST)


def _clamped(value: Any, usual: int, most: int) -> int:
    try:
        return min(max(int(value), 1), most)
    except (TypeError, ValueError, OverflowError):
        return usual


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PARAMETER = "token"

HEADERS = {
    # Everything comes from here. The terminal sets styles on elements, and the page of
    # textual-serve's script makes its own workers of nothing else.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "font-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Door:
    """Lets requests in or turns them away.

    The token comes once in the address, moves into a cookie, and leaves the address: neither the
    history of the browser nor a link to elsewhere holds it then.

    Args:
        port: Where we listen: cookies do not distinguish ports, so the port is in the name.
        local: We listen on this machine alone. Then no name but a local one is ours, whatever a
            foreign page made its own name point at.
    """

    def __init__(self, token: str, port: int, *, local: bool) -> None:
        self._token, self._local = token, local
        self.cookie = f"lossmon-{port}"

    @web.middleware
    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or say why not."""
        try:
            response = await self._answer(request, handler)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._local and not is_local(_parts(f"//{request.host}").hostname or ""):
            raise web.HTTPForbidden(text="lossmon: this name is not ours\n")
        if PARAMETER in request.query and request.path == "/":
            if not self._fits(request.query[PARAMETER]):
                raise web.HTTPForbidden(text="lossmon: the token is wrong\n")
            welcome = web.HTTPSeeOther("/")
            welcome.set_cookie(self.cookie, self._token, httponly=True, samesite="Strict", path="/")
            raise welcome
        if not self._fits(request.cookies.get(self.cookie, "")):
            raise web.HTTPForbidden(
                text="lossmon: open the address that `lossmon serve` printed, with its token\n"
            )
        origin = request.headers.get("Origin")
        ours = (request.scheme, request.host)
        if origin is not None and _parts(origin)[:2] != ours:
            raise web.HTTPForbidden(text="lossmon: asked for by a foreign page\n")
        return await handler(request)

    def _fits(self, token: str) -> bool:
        # A header may hold any bytes; those that are not text arrive as lone surrogates.
        given = token.encode(errors="surrogateescape")
        return hmac.compare_digest(given, self._token.encode())


def _parts(address: str) -> SplitResult:
    """The parts of an address from outside; none where it is not one."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def is_local(host: str) -> bool:
    """Whether a host name or address means this machine, without asking anybody."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
"""What the terminal in the browser is, whatever the one is in which the command was typed."""


def serve(
    paths: Sequence[Path],
    flags: Sequence[str],
    host: str,
    port: int,
    write: Callable[[str], None],
) -> int:
    """Show the screen to browsers until Ctrl+C or a signal.

    Args:
        flags: Further arguments of the screen's own command.
        host: Name or address to listen on.
        port: Port to listen on; 0 takes any that is free.
        write: Prints a line for the user.

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
    asyncio.run(_run(screens, sock, partial(_greet, write, host, port, token)))
    return 0


def _greet(write: Callable[[str], None], host: str, port: int, token: str) -> None:
    """Print the address; the server does not answer before."""
    shown = f"[{host}]" if ":" in host else host
    write(f"http://{shown}:{port}/?{PARAMETER}={token}")
    if is_local(host):
        how = f"from elsewhere: ssh -L {port}:localhost:{port} THIS-MACHINE, then the same address"
    else:
        how = "everybody on this network who knows the address can watch; traffic is not encrypted"
    write(message(how))
    write(message("Ctrl+C ends it"))


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
    # A screen that ends just when it is killed is reaped at once, and asyncio would remark on it.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
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
