"""What the outputs view says: the tally of marks, and how to log answers where there are none."""

from __future__ import annotations

import re
from collections.abc import Callable

from lossmon.analysis.outputs import Step
from lossmon.ui.scene import Scene
from lossmon.ui.state.ratings import Tally
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line

EXAMPLE = """\
import json
def keep(step, prompt, output):
    row = dict(step=step,
               prompt=prompt,
               output=output)
    path = "output/samples.jsonl"
    with open(path, "a") as file:
        print(json.dumps(row),
              file=file)"""
"""Lines of 34 characters at most, so that a side pane shows them whole."""

WHOLLY = "better on {better} of {judged} prompts ({worse} worse, {same} same)"
PARTLY = "better on {better} of {judged} rated ({worse} worse, {same} same)"


def example() -> str:
    """Python that keeps answers where this view finds them."""
    return EXAMPLE + "\n"


def missing(scene: Scene, height: int) -> list[Line]:
    """What to say where the run has no texts, without blank lines where the rows are few."""
    say = scene.say
    lines: list[Line] = [
        ((say("this run logs no outputs yet"), STRONG),),
        ((say("call this at every eval:"), MUTED),),
        EMPTY,
        *(((line, TEXT),) for line in EXAMPLE.splitlines()),
        EMPTY,
        (("enter", "key"), (" " + say("copies it"), MUTED)),
        EMPTY,
        ((say("or log texts or tables with"), MUTED),),
        ((say("TensorBoard, W&B or SwanLab"), MUTED),),
        ((say("(TRL's parquet is not read)"), MUTED),),
    ]
    return lines if len(lines) <= height else [line for line in lines if line]


def summary(
    marks: Tally, after: str, before: Step, say: Callable[[str], str], *, short: bool
) -> list[tuple[int, Line]]:
    """What the marks say, in parts by importance: an honest count of what was judged."""
    if short:
        brief = f"+{marks.better} ={marks.same} -{marks.worse}"
        return [(1, ((say("{counts} of {both}").format(counts=brief, both=marks.both), TEXT),))]
    old = say("no step") if before is None else f"{before:,}"
    against = say("{after} against {before}").format(after=after, before=old)
    parts: list[tuple[int, Line]] = [(2, ((against, MUTED),))]
    if not marks.judged:
        text = _one(say("{both} prompts, none rated").format(both=marks.both))
        return [*parts, (1, ((text, MUTED),))]
    left = marks.both - marks.judged
    text = say(PARTLY if left else WHOLLY)
    counts = {"better": marks.better, "worse": marks.worse, "same": marks.same}
    parts.append((1, ((_one(text.format(judged=marks.judged, **counts)), TEXT),)))
    if left:
        parts.append((1, ((say("{left} not rated").format(left=left), MUTED),)))
    return parts


def _one(text: str) -> str:
    """English in the singular."""
    return re.sub(r"\b1 prompts\b", "1 prompt", text)
