"""What the server does with messages and processes that are not as they should be."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lossmon.ui.web import server
from lossmon.ui.web.server import HIGHEST, LARGEST_MESSAGE, WIDEST, Door, Screens, size

STUBBORN = "import time; print('__GANGLION__', flush=True); time.sleep(600)"
"""A process that begins as a screen does, and never ends."""

ECHO = """
import sys
print('__GANGLION__', flush=True)
while True:
    kind, length = sys.stdin.buffer.read(1), int.from_bytes(sys.stdin.buffer.read(4), "big")
    text = sys.stdin.buffer.read(length)
    if b"quit" in text or not kind:
        break
    sys.stdout.buffer.write(b"D" + len(text).to_bytes(4, "big") + text)
    sys.stdout.buffer.flush()
"""
"""A process that answers each message with its text."""


@pytest.mark.parametrize(
    "asked, given",
    [
        (("80", "24"), (80, 24)),
        ((100_000, 100_000), (WIDEST, HIGHEST)),
        ((-5, 0), (1, 1)),
        ((None, "x"), (80, 24)),
        ((float("inf"), float("nan")), (80, 24)),
        (([], {}), (80, 24)),
    ],
)
def test_a_screen_has_a_size_that_a_screen_can_have(
    asked: tuple[object, object], given: tuple[int, int]
) -> None:
    assert size(*asked) == given


def client(tmp_path: Path, code: str) -> Browser:
    """A browser that holds the token of a server whose screens run some code."""
    script = tmp_path / "screen.py"
    script.write_text(code)
    door = Door("secret", 1, local=True)
    screens = Screens(f"exec {sys.executable} {script}", "127.0.0.1", 0, door)
    app = asyncio.get_running_loop().create_task(screens.make_app())
    return Browser(app, screens)


class Browser:
    def __init__(self, app: asyncio.Task, screens: Screens) -> None:
        self._app, self.screens = app, screens

    async def __aenter__(self) -> TestClient:
        self._client = TestClient(TestServer(await self._app), cookies={"lossmon-1": "secret"})
        await self._client.start_server()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


async def test_a_huge_resize_is_passed_on_as_the_largest_size(tmp_path: Path) -> None:
    async with client(tmp_path, ECHO) as page, page.ws_connect("/ws") as socket:
        await socket.send_str(json.dumps(["resize", {"width": 100_000, "height": 100_000}]))
        seen = json.loads(await socket.receive_bytes(timeout=30))
        assert (seen["width"], seen["height"]) == (WIDEST, HIGHEST)


@pytest.mark.parametrize(
    "message",
    ["no JSON", "[]", '["stdin"]', '["resize", 5]', "7", "[" * 5000, "a" * (LARGEST_MESSAGE + 1)],
    ids=lambda text: text[:8],
)
async def test_a_message_that_the_page_would_not_send_closes_its_screen(
    tmp_path: Path, message: str
) -> None:
    async with client(tmp_path, ECHO) as page, page.ws_connect("/ws") as socket:
        await socket.send_str(message)
        await socket.receive(timeout=30)
        assert socket.closed


async def test_a_screen_that_does_not_end_is_killed_and_keeps_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GRACE", 0.2)
    monkeypatch.setattr(server, "MOST_SCREENS", 1)
    browser = client(tmp_path, STUBBORN)
    async with browser as page:
        for _ in range(3):
            async with asyncio.timeout(30):
                while (answer := await page.get("/ws")).status == 503:
                    await asyncio.sleep(0.01)
            assert answer.status == 400
            async with page.ws_connect("/ws"):
                assert (await page.get("/ws", headers=UPGRADE)).status == 503
    assert not browser.screens._endings


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
