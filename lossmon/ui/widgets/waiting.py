"""The calm screen before there is anything to show."""

from __future__ import annotations

from collections.abc import Sequence

from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, clip, wrap
from lossmon.ui.widgets.scene_panel import ScenePanel


class Waiting(ScenePanel):
    """Says what is waited for, and what would be recognised."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        scene = self.scene
        if scene.run is not None:
            return []
        room = min(width - 4, 72)
        if room < 4:
            return []
        lines = self._about(room)
        if scene.recognised and height >= len(lines) + 4:
            lines += [EMPTY, ((scene.say("recognised"), MUTED),)]
            listed = " · ".join(clean(title) for title in scene.recognised)
            lines += [((line, TEXT),) for line in wrap(listed, room)][: height - len(lines) - 1]
        left = (width - room) // 2
        above = max(0, (height - len(lines)) // 3)
        return [*[EMPTY] * above, *(((" " * left, TEXT), *line) for line in lines)]

    def _about(self, room: int) -> list[Line]:
        scene = self.scene
        where = clean(scene.snapshot.waiting_for)
        calm = scene.say("every file there is looked at as it grows")
        lines: list[Line] = [
            (("○ ", MUTED), (clip(scene.say("waiting for"), room - 2), STRONG)),
            EMPTY,
        ]
        lines += [((line, TEXT),) for line in wrap(where, room)]
        lines += [((line, MUTED),) for line in wrap(calm, room)]
        for note in scene.snapshot.notes[:3]:
            lines += [((line, MUTED),) for line in wrap(clean(note), room)]
        return lines
