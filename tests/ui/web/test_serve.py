"""The screen in a browser: who is let in, and what is seen."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from lossmon.cli import main
from lossmon.ui.web.server import is_local
from tests.monitor.logs import append, falling
from tests.ui.web.browser import browser, tab

ADDRESS = re.compile(rb"http://[^\s?]+/\?token=\S+")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "a run"
    path.mkdir()
    append(path / "trainer_log.jsonl", falling(1, 101))
    return path


@asynccontextmanager
async def served(run: Path, *flags: str) -> AsyncIterator[str]:
    """The address that `lossmon serve` prints; the server is ended at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lossmon", "serve", str(run), "--port", "0", *flags),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        found = ADDRESS.search(line)
        assert found, line
        yield found[0].decode()
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def status(url: str, **headers: str) -> int:
    """What a client without any cookie is answered."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(url, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status


async def test_only_the_token_opens_the_door(run: Path) -> None:
    async with served(run, "--no-hardware") as address:
        base = address.partition("?")[0]
        assert await status(base) == 403
        assert await status(base + "?token=wrong") == 403
        assert await status(base + "ws") == 403
        assert await status(base + "page.js") == 403
        assert await status(base + "static/js/textual.js") == 403
        assert await status(address) == 303
        assert await status(address, Host="evil.example") == 403
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(address) as answer:
                assert answer.status == 200
                assert "token" not in str(answer.url)
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "http" not in await answer.text()
            own = base.partition("//")[2].strip("/")
            for foreign in ("http://evil.example", f"https://{own}", "null"):
                async with session.get(base + "ws", headers={"Origin": foreign}) as answer:
                    assert answer.status == 403
            for path in ("static/", "static/../door.py", "page.html", "door.py"):
                async with session.get(base + path) as answer:
                    assert answer.status in (403, 404), path


async def raw_status(address: str, head: bytes) -> int:
    """What bytes that no client would send are answered."""
    port = int(address.partition("/?")[0].rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n" + head.replace(b"PORT", b"%d" % port) + b"\r\n\r\n")
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(answer.split()[1])


async def test_headers_that_are_nonsense_are_turned_away(run: Path) -> None:
    async with served(run, "--no-hardware") as address:
        for head in (
            b"Host: [",
            b"Host: \xff\xfe",
            b"Host: localhost\r\nCookie: lossmon-PORT=\xff",
        ):
            assert await raw_status(address, head) == 403, head


async def test_the_way_to_a_screen_is_for_the_page_alone(run: Path) -> None:
    async with (
        served(run, "--no-hardware") as address,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        async with session.get(address):
            pass
        async with session.get(address.partition("?")[0] + "ws") as answer:
            assert answer.status == 400


def screens_of(server: int) -> list[int]:
    """The processes that a server started."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and f"\nPPid:\t{server}\n" in _status(entry)
    ]


def _status(process: Path) -> str:
    try:
        return (process / "status").read_text()
    except OSError:
        return ""


async def until_gone(processes: list[int]) -> None:
    async with asyncio.timeout(30):
        while any((Path("/proc") / str(one)).exists() for one in processes):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("killed", [False, True], ids=["a closed tab", "a killed server"])
async def test_no_screen_stays_behind(run: Path, killed: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lossmon", "serve", str(run), "--port", "0", "--no-hardware"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    found = ADDRESS.search(await asyncio.wait_for(process.stdout.readline(), 60))
    assert found
    address = found[0].decode()
    try:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            async with session.get(address):
                pass
            socket = await session.ws_connect(address.partition("?")[0] + "ws")
            await asyncio.wait_for(socket.receive(), 30)
            screens = screens_of(process.pid)
            assert len(screens) == 1
            if killed:
                process.kill()
            else:
                await socket.close()
            await until_gone(screens)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_listens_to_this_machine_alone(run: Path) -> None:
    async with served(run, "--no-hardware") as address:
        port = address.partition("/?")[0].rpartition(":")[2]
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        wanted = f":{int(port):04X} "
        places = {line.split()[1] for line in listening.splitlines() if wanted in line[:40]}
        assert places == {f"0100007F:{int(port):04X}"}


@pytest.mark.skipif(browser() is None, reason="no Chromium on this machine")
async def test_a_browser_shows_the_screen_and_takes_keys(run: Path, tmp_path: Path) -> None:
    async with served(run, "--no-hardware") as address, tab(tmp_path / "browser") as page:
        await page.call("Page.navigate", url=address)
        await page.until("document.body && document.body.classList.contains('-first-byte')")
        await page.until_received("a run")
        await page.until_received("train")
        assert "token" not in await page.value("location.href")
        await page.value("document.querySelector('.xterm-helper-textarea').focus()")
        await page.press("d")
        await page.until_received("confidence")
        picture = await page.picture()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 8_000
        assert page.errors == []


async def test_a_browser_is_handed_the_page_and_writes_nothing_here(run: Path) -> None:
    async with (
        served(run, "--no-hardware") as address,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        base = address.partition("?")[0]
        async with session.get(address):
            pass
        async with session.ws_connect(base + "ws?width=100&height=30") as socket:
            seen = b""
            while b"train" not in seen:
                message = await asyncio.wait_for(socket.receive(), 30)
                seen += message.data if isinstance(message.data, bytes) else b""
            await socket.send_json(["stdin", "w"])
            while message.type is not aiohttp.WSMsgType.TEXT:
                message = await asyncio.wait_for(socket.receive(), 30)
            kind, key = message.json()
            assert kind == "deliver_file_start"
            async with session.get(f"{base}download/{key}") as answer:
                assert "attachment" in answer.headers["Content-Disposition"]
                assert "train loss" in await answer.text()
    assert [path.name for path in run.iterdir()] == ["trainer_log.jsonl"]


async def test_a_wrong_place_to_listen_on_is_told(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(run), "--host", "203.0.113.7"]) == 2
    assert "--host 203.0.113.7" in capsys.readouterr().err


@pytest.mark.parametrize(
    "host, local",
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_a_name_is_local_only_if_nobody_could_point_it_elsewhere(host: str, local: bool) -> None:
    assert is_local(host) is local
