"""The driver: keys as they come from the terminal."""

from __future__ import annotations

import os
import threading
from typing import Any, cast

import pytest
from textual.events import Key
from textual.message import Message

from lossmon.ui.screens.base import host
from lossmon.ui.screens.base.host import ESCAPE_SECONDS, ContinuingDriver
from tests.ui import stage


async def test_an_escape_alone_is_a_key_as_soon_as_it_can_be_no_part_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, terminal = os.pipe()
    keys, waits = list[str](), list[float]()
    select = host.select

    def waiting(*arguments: Any) -> Any:
        waits.append(arguments[-1])
        return select(*arguments)

    monkeypatch.setattr(host, "select", waiting)
    driver = ContinuingDriver(stage.app(stage.snapshot(stage.healthy())))
    driver.fileno = source

    def process(message: Message) -> None:
        keys.append(cast(Key, message).key)
        if len(keys) == 3:
            driver.exit_event.set()

    monkeypatch.setattr(driver, "process_message", process)
    reading = threading.Thread(target=driver.run_input_thread)
    os.write(terminal, "\x1b[Aé\x1b".encode())
    reading.start()
    reading.join(30)
    os.close(terminal)
    os.close(source)
    assert keys == ["up", "é", "escape"]
    assert 0 < waits[1] <= ESCAPE_SECONDS < waits[0]


async def test_a_key_of_a_terminal_with_another_encoding_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, terminal = os.pipe()
    driver = ContinuingDriver(stage.app(stage.snapshot(stage.healthy())))
    driver.fileno = source
    keys = list[str]()

    def process(message: Message) -> None:
        keys.append(cast(Key, message).key)
        if len(keys) == 2:
            driver.exit_event.set()

    monkeypatch.setattr(driver, "process_message", process)
    os.write(terminal, b"\xe9q")
    driver.run_input_thread()
    os.close(terminal)
    os.close(source)
    assert keys[-1] == "q"
