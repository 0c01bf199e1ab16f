"""A real browser without a window, driven over its debugging port."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1000,640",
)


def browser() -> str | None:
    """Path of a Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One tab: sends commands and remembers what came over the web sockets of its page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._calls = 0
        self.received = b""
        self.errors: list[str] = []
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            event = json.loads(message.data)
            if "id" in event:
                self._waiting.pop(event["id"]).set_result(event.get("result", event))
            elif event["method"] == "Network.webSocketFrameReceived":
                frame = event["params"]["response"]
                binary = frame["opcode"] == 2
                data = frame["payloadData"]
                self.received += base64.b64decode(data) if binary else data.encode()
            elif event["method"] == "Log.entryAdded":
                entry = event["params"]["entry"]
                # What a machine without a graphics card warns of is no fault of the page.
                if entry["level"] == "error":
                    self.errors.append(json.dumps(entry))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._calls += 1
        number = self._calls
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(future, 30)

    async def value(self, expression: str) -> Any:
        """What a line of JavaScript gives in the page."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    async def press(self, key: str) -> None:
        """Type a letter."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def until(self, expression: str, seconds: float = 30) -> None:
        """Wait until a line of JavaScript is true."""
        async with asyncio.timeout(seconds):
            while not await self.value(expression):
                await asyncio.sleep(0.1)

    async def until_received(self, text: str, seconds: float = 30) -> None:
        """Wait until the server has sent a text."""
        async with asyncio.timeout(seconds):
            while text.encode() not in self.received:
                await asyncio.sleep(0.1)

    async def picture(self) -> bytes:
        """The page as PNG."""
        shot = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def tab(home: Path) -> AsyncIterator[Tab]:
    """A browser with one tab, ended at the end."""
    path = browser()
    assert path is not None
    process = await asyncio.create_subprocess_exec(
        path,
        *FLAGS,
        f"--user-data-dir={home}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port_file = home / "DevToolsActivePort"
        async with asyncio.timeout(60):
            while not port_file.exists() or len(port_file.read_text().splitlines()) < 2:
                await asyncio.sleep(0.1)
        port = port_file.read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            async with session.ws_connect(
                pages[0]["webSocketDebuggerUrl"], max_msg_size=0
            ) as socket:
                opened = Tab(socket)
                for domain in ("Page", "Runtime", "Network", "Log"):
                    await opened.call(f"{domain}.enable")
                yield opened
    finally:
        process.terminate()
        await process.wait()
