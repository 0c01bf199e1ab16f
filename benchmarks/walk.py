"""Walks through every view in real terminals while runs are being written: `make walk`.

Two runs grow, a recorded one and a training of the demo, beside three that are over. In each kind
of terminal, at each size, every view is opened from the keyboard and read back from tmux.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.frames import faults
from benchmarks.replay import Replay
from benchmarks.route import ANY_SIZE, CLEARED, DRAWN_IN_ASCII, SIZES, TERMINALS, WAY
from benchmarks.tmux import Tmux
from lossmon.demo.cases import CASES
from lossmon.demo.train import train
from lossmon.diagnosis.advice import badge_of, codes
from lossmon.locale import translate

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
LIVE = DATA / "llamafactory" / "sft"
OVER = (DATA / "lightning" / "nan", DATA / "hf_trainer" / "v5" / "overfit", DATA / "ultralytics")

BACKS = re.compile(r" (?:esc|r|q) \S")
"""How the lower edge of a view says that it can be left."""

EDGES = ("╭", "╰", "├", "+")
MOST = 40
"""Faults of one walk that are printed: where everything is wrong, more say no more."""

NUMBER = r"\s+(?:nan|inf|[\d.]+(?:e-?\d+)?)"


class Walk:
    """One walk in one kind of terminal; collects what is wrong."""

    def __init__(self, tmux: Tmux, language: str, unicode: bool) -> None:
        self.tmux, self.language, self.unicode = tmux, language, unicode
        self.seen = 0
        self.wrong: list[str] = []
        badges = (badge_of(code, language=language) for code in codes())
        self.badges = tuple(word.upper() for word in badges)

    def word(self, english: str) -> str:
        """A word as the screen writes it."""
        return translate(english, self.language) if self.unicode else english

    def look(self, name: str) -> list[str]:
        """Read the screen; what is wrong with it twice in a row is wrong."""
        found: list[str] = []
        for _ in range(6):
            rows = self.tmux.rows()
            found = faults(rows, self.tmux.size)
            if not self.unicode:
                found += [f"not ASCII: {row!r}" for row in rows if not row.isascii()]
            if not found:
                break
            time.sleep(0.2)
        self.seen += 1
        self.wrong += [f"{name} {self.tmux.size}: {fault}" for fault in found]
        return rows

    def expect(self, name: str, is_true: bool, what: str, rows: Sequence[str] = ()) -> None:
        """Note what should be and is not, with the screen."""
        if not is_true:
            screen = "".join(f"\n      {row.rstrip()}" for row in rows if row.strip(" │|"))
            self.wrong.append(f"{name} {self.tmux.size}: {what}{screen}")

    # ------------------------------------------------------------------------------ the way

    def has_run(self, rows: Sequence[str]) -> bool:
        """Whether the run view is there: its badge, and the train loss with its number."""
        text = "\n".join(rows)
        train = re.search(re.escape(self.word("train")) + NUMBER, text)
        return train is not None and any(badge in text for badge in self.badges)

    def has_title(self, word: str, rows: Sequence[str]) -> bool:
        """Whether the upper edge of the screen's frame holds a word."""
        edges = [row for row in rows if row.startswith(EDGES)]
        return bool(edges) and rows[0] == edges[0] and self.word(word) in rows[0]

    def at_size(self, size: tuple[int, int]) -> None:
        """Open every view at a size, and come back from each."""
        self.tmux.resize(size)
        time.sleep(0.4)
        rows = self.tmux.wait(self.has_run)
        self.expect("run", rows is not None, "no badge or no train loss", self.tmux.rows())
        self.look("run")
        for stop in WAY:
            self.tmux.type(*stop.keys)
            there = self.tmux.wait(lambda rows, stop=stop: self.has_title(stop.title, rows), 5)  # type: ignore[misc]
            rows = self.look(stop.name)
            self.expect(stop.name, there is not None, f"is not titled {stop.title}", rows)
            ways = any(row.startswith(EDGES) and BACKS.search(row) for row in rows)
            self.expect(stop.name, ways, "does not say how to leave it", rows)
            self.press(stop.back)
            if self.tmux.wait(self.has_run, 5) is None:
                self.expect(stop.name, False, f"{stop.back} does not leave it", self.tmux.rows())
                self.press("Escape")

    def press(self, *keys: str) -> None:
        """Press keys and wait a little: an escape with a key right behind it is another key."""
        self.tmux.type(*keys)
        time.sleep(0.2)

    def drag(self) -> None:
        """Change the size of the window in every view that draws curves or rows."""
        for name, keys, back in (("run", (), ()), *((s.name, s.keys, (s.back,)) for s in WAY[:4])):
            if keys:
                self.tmux.type(*keys)
            for size in ANY_SIZE:
                self.tmux.resize(size)
                time.sleep(0.15)
                self.expect(name, self.tmux.modes()["alternate_on"] == "1", "it ended")
                if size[0] >= SIZES[0][0] and size[1] >= 14:
                    self.look(f"{name}, dragged")
            if back:
                self.press(*back)
            self.expect(name, self.tmux.wait(self.has_run) is not None, "lost after the dragging")

    def press_footer(self) -> None:
        """Press every key of the footer on data that stand still: each changes the screen."""
        self.tmux.type("Space")
        time.sleep(0.5)
        footer = self.tmux.rows()[-1]
        keys = re.findall(r"(?:^| )(\S+) (?=\S)", footer)
        for key in [one for each in keys for one in (each.split("/") if "/" in each else [each])]:
            if key in ("q", "space") or (len(key) > 1 and key not in ("enter", "tab")):
                continue
            before = self.tmux.rows()
            self.tmux.type({"enter": "Enter", "tab": "Tab"}.get(key, key))
            changed = self.tmux.wait(lambda rows, before=before: rows != before, 5)  # type: ignore[misc]
            self.expect("footer", changed is not None, f"{key} changes nothing", before)
            self.look(f"run after {key}")
            self.press("r" if key == "r" else "Escape")
            if self.tmux.wait(self.has_run, 5) is None:
                self.tmux.type("Enter")
        self.tmux.type("Space")


# ------------------------------------------------------------------------------- the runs


@contextmanager
def live_runs(directory: Path) -> Iterator[Path]:
    """A directory in which two runs grow and three are over."""
    runs = directory / "output"
    for source in OVER:
        shutil.copytree(source, runs / source.name)
    replay = Replay(LIVE, runs / "replayed", seconds=90)
    stop = threading.Event()
    training = threading.Thread(
        target=train,
        args=(CASES["overfit"], runs / "训练-一号"),
        kwargs={"speed": 1.0, "stop": stop.is_set},
    )
    replay.start()
    training.start()
    try:
        yield runs
    finally:
        stop.set()
        replay.end()
        training.join()


def walk(variables: dict[str, str], sizes: Sequence[tuple[int, int]] = SIZES) -> Walk:
    """Walk once through everything in a terminal with these variables."""
    with tempfile.TemporaryDirectory() as kept, live_runs(Path(kept)) as runs:
        home = Path(kept) / "home"
        home.mkdir()
        with Tmux(home, (120, 40)) as tmux:
            language = "zh" if variables["LANG"].startswith("zh") else "en"
            unicode = variables["LANG"] != "C" and variables["TERM"] not in DRAWN_IN_ASCII
            one = Walk(tmux, language, unicode)
            unset = " ".join(f"-u {name}" for name in CLEARED)
            given = {**variables, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(home)}
            setting = " ".join(f"{name}={value}" for name, value in given.items())
            command = f"{sys.executable} -m lossmon {runs}"
            tmux.enter("stty -a >before")
            tmux.enter(f"env {unset} {setting} {command}; echo status=$?; stty -a >after")
            shown = tmux.wait(lambda rows: one.has_title("runs", rows), 30)
            one.expect("start", shown is not None, "the fleet does not come", tmux.rows())
            tmux.type("Enter")
            for size in sizes:
                one.at_size(size)
            tmux.resize((160, 45))
            time.sleep(0.4)
            one.press_footer()
            one.drag()
            _quit(one, home)
            return one


def _quit(one: Walk, home: Path) -> None:
    """Leave with q, and look whether the terminal is as it was."""
    one.tmux.type("q")
    shown = one.tmux.wait(lambda rows: any(re.search(r"status=\d", row) for row in rows), 10)
    rows = one.tmux.rows()
    time.sleep(0.3)
    one.expect("quit", shown is not None, "q does not quit", rows)
    one.expect("quit", any("status=0" in row for row in rows), "not with 0", rows)
    modes = one.tmux.modes()
    clean = {"cursor_flag": "1", "alternate_on": "0", "mouse_any_flag": "0", "keypad_flag": "0"}
    left = {name: modes[name] for name, value in clean.items() if modes[name] != value}
    one.expect("quit", not left, f"leaves behind {left}", rows)
    before, after = (home / name for name in ("before", "after"))
    same = after.exists() and before.read_text() == after.read_text()
    one.expect("quit", same, "stty is not what it was", rows)
    one.wrong += [f"after quitting: {fault}" for fault in faults(rows, one.tmux.size)]


def main() -> None:
    """Walk in every kind of terminal, or in those named."""
    if shutil.which("tmux") is None:
        print("tmux is not installed: nothing can be walked through")
        return
    bad = 0
    for name in sys.argv[1:] or TERMINALS:
        begun = time.monotonic()
        one = walk(TERMINALS[name])
        bad += len(one.wrong)
        verdict = f"{len(one.wrong)} faults" if one.wrong else "nothing wrong"
        spent = time.monotonic() - begun
        print(f"  {name:<16} {one.seen:>4} screens  {verdict}  {spent:.0f} s", flush=True)
        for fault in one.wrong[:MOST]:
            print(f"    {fault}", flush=True)
    if bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
