"""Makes the pictures of the README from real trainings: `make screenshots`."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
import time
from pathlib import Path

from lossmon.demo.cases import CASES
from lossmon.demo.train import train
from lossmon.monitor import Monitor
from lossmon.types import Snapshot
from lossmon.ui.app import LossmonApp
from lossmon.ui.scene import ScreenConfig
from lossmon.ui.terminal import Terminal

DOCS = Path(__file__).parent.parent / "docs"

PICTURES: tuple[tuple[str, str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("overfitting", "overfit", (120, 40), (), "lossmon-dark"),
    ("diagnosis", "overfit", (80, 24), ("d",), "lossmon-dark"),
    ("pane", "diverge", (40, 15), (), "lossmon-dark"),
    ("wide", "nan", (200, 50), (), "lossmon-light"),
)
"""Name, demo case, columns and rows, keys typed, theme."""


class Taken:
    """A monitor that stands still."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def poll(self, budget: float) -> Snapshot:
        """Return the snapshot."""
        return self.snapshot


def picture(snapshot: Snapshot, size: tuple[int, int], keys: tuple[str, ...], theme: str) -> str:
    """Show a snapshot on a screen and return it as SVG."""
    config = ScreenConfig(theme=theme, initial=snapshot)
    app = LossmonApp(Taken(snapshot), threading.Event(), config, terminal=Terminal())

    async def take() -> str:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause(0.2)
            return app.export_screenshot(title="lossmon ./output")

    return without_fonts(asyncio.run(take()))


def without_fonts(svg: str) -> str:
    """Drop the fonts that the picture would fetch: any monospaced one will do."""
    return re.sub(r"@font-face\s*{[^}]*}", "", svg).replace(
        "Fira Code", "DejaVu Sans Mono, Menlo, Consolas"
    )


def main() -> None:
    """Train each case once, and take its pictures."""
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as kept:
        for name, case, size, keys, theme in PICTURES:
            out = Path(kept) / case / "output"
            if not out.exists():
                train(CASES[case], out, speed=0)
            began = time.time() - CASES[case].steps / 10
            monitor = Monitor([out], clock=lambda began=began: began)
            svg = picture(monitor.drain(), size, keys, theme)
            (DOCS / f"{name}.svg").write_text(svg, encoding="utf-8")
            print(f"docs/{name}.svg")


if __name__ == "__main__":
    main()
