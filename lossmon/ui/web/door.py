"""Access checks of the web server: the token, the origin of the page and the host name."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

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
        token: The secret.
        port: Where we listen: cookies do not tell ports apart, so the port is in the name.
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
        # A header may hold any bytes; those that are no text came to us as lone surrogates.
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
