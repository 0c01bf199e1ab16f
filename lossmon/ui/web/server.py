"""textual-serve behind a door, with a page of our own that fetches nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from lossmon.ui.web.door import Door

PAGE = Path(__file__).parent / "page.html"
PARTS = ("page.css", "page.js")

MOST_SCREENS = 8
"""Screens at a time: each is a process of its own that reads the logs again."""


class Screens(Server):
    """Serves the screen, one process a browser tab.

    Args:
        command: Shell command that opens the screen.
        host: Address to listen on.
        port: Port to listen on.
        door: Lets requests in.
    """

    def __init__(self, command: str, host: str, port: int, door: Door) -> None:
        super().__init__(command, host=host, port=port, title="lossmon")
        self._door = door
        self._open = 0

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
        return app

    async def handle_page(self, request: web.Request) -> web.StreamResponse:
        """The page that holds the terminal."""
        return web.FileResponse(PAGE)

    async def handle_part(self, request: web.Request) -> web.StreamResponse:
        """What the page is made of. The router knows no other names than `PARTS`."""
        return web.FileResponse(PAGE.parent / request.path.lstrip("/"))

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One screen, for as long as the browser looks at it."""
        if not web.WebSocketResponse().can_prepare(request):
            raise web.HTTPBadRequest(text="lossmon: this address is for the page alone\n")
        if self._open >= MOST_SCREENS:
            raise web.HTTPServiceUnavailable(text=f"lossmon: {MOST_SCREENS} screens are open\n")
        self._open += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._open -= 1
