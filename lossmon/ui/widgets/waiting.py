"""Waiting panel: shown before there is anything else to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from lossmon.analysis.file_sentences import about_logged, about_unread
from lossmon.locale import message, phrase
from lossmon.ui.text.lines import EMPTY, MUTED, STRONG, TEXT, Line, clean, clip, wrap
from lossmon.ui.text.lines import width as cells_of
from lossmon.ui.widgets.panel import ScenePanel


class Waiting(ScenePanel):
    """Says what is waited for, and which files are there but not read."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        if self.scene.run is not None and not self.scene.lacks_scalars:
            return []
        room = min(width - 4, 72)
        if room < 4:
            return []
        lines = self._about_run(room) if self.scene.run else self._about(room)
        left = (width - room) // 2
        above = max(0, (height - len(lines)) // 3)
        return [*[EMPTY] * above, *(((" " * left, TEXT), *line) for line in lines)]

    def _about_run(self, room: int) -> list[Line]:
        """What a run without scalars has, and the keys that show it."""
        scene, run = self.scene, self.scene.run
        assert run is not None
        texts = [
            clean(about_logged(run, scene.language)),
            scene.say("m shows histograms, curves and images") if run.media else "",
            scene.say("u shows the texts") if run.samples else "",
        ]
        head: Line = (("○ ", MUTED), (clip(scene.say("no scalars so far"), room - 2), STRONG))
        roles = (TEXT, MUTED, MUTED)
        lines = [
            ((line, role),)
            for text, role in zip(texts, roles, strict=True)
            if text
            for line in wrap(text, room)
        ]
        return [head, *lines]

    def _about(self, room: int) -> list[Line]:
        scene, snapshot = self.scene, self.scene.snapshot
        where = clean(snapshot.waiting_for)
        head: Line = (("○ ", MUTED), (clip(scene.say("waiting for"), room - 2), STRONG))
        if cells_of(head) + 1 + cell_len(where) <= room:
            lines: list[Line] = [(*head, (f" {where}", TEXT))]
        else:
            lines = [head, *(((line, TEXT),) for line in wrap(where, room))]
        if snapshot.busy:
            count = f"{snapshot.seen_files:,}"
            found = phrase("searching: {count} files so far", scene.language, count=count)
            lines += [((line, TEXT),) for line in wrap(found, room)]
        elif not snapshot.notes:
            unread = (snapshot.seen_files, snapshot.unread_files)
            found = clean(about_unread(snapshot.waiting_for, *unread, scene.language))
            lines += [((line, TEXT),) for line in wrap(found, room)]
        # The path stands above: a note that says only that it is waited for says nothing.
        notes = [note for note in snapshot.notes if note != f"waiting for {snapshot.waiting_for}"]
        for note in notes[:3]:
            text = clean(message(note, scene.language)).removeprefix(where).lstrip(":： ")
            lines += [((line, TEXT),) for line in wrap(text, room)]
        for text in self._advice(where):
            lines += [((line, MUTED),) for line in wrap(text, room)]
        return lines

    def _advice(self, where: str) -> Iterator[str]:
        say = self.scene.say
        yield say("new files and lines are read as they are written")
        if self.scene.snapshot.seen_files:
            explain = "`lossmon explain {path}` says why a line or a file is not read"
            yield phrase(explain, self.scene.language, path=where)
        yield say("? lists the keys and the formats that are read")
