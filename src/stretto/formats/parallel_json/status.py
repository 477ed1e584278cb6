"""How far each achievement is: by the papers in the folder, and by the plan's own word where no paper tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stretto.formats.parallel_json.achievements import Entry
from stretto.formats.parallel_json.folder import Folder
from stretto.formats.parallel_json.remarks import Remarks
from stretto.formats.reading import Reading, shown
from stretto.model.papers import SETTLED, Keys, Known, Paper, Step, part_number, steps_of

_WORDS: dict[str, Step] = {
    **dict.fromkeys(("not_started", "pending", "todo", "blocked", "ready", "planned", ""), "not_started"),
    "subplan_created": "subplan_created",
    **dict.fromkeys(("execution_created", "in_progress", "running"), "execution_created"),
    **dict.fromkeys(("complete", "completed", "done", "approved", "finished"), "complete"),
    **dict.fromkeys(("failed", "fix", "needs_fix"), "failed"),
    **dict.fromkeys(("skipped", "cancelled", "canceled"), "skipped"),
}


class Progress:
    """What is known of every achievement and its parts."""

    def __init__(self, reading: Reading, remarks: Remarks, folder: Folder, entries: Sequence[Entry]) -> None:
        self._reading = reading
        self._remarks = remarks
        self._folder = folder
        self._keys = Keys(id for entry in entries for id in (entry.id, *(part.id for part in entry.parts)))

    def papers(self, entry: Entry) -> list[Paper]:
        return self._folder.papers(entry.id, shared=self._keys.is_shared(entry.id))

    def approved(self, id: str) -> bool:
        """Whether the folder says that something is done which is not in the file."""
        return "complete" in {paper.step for paper in self._folder.papers(id, shared=self._keys.knows(id))}

    def steps(self, entry: Entry) -> tuple[Step, tuple[Step, ...]]:
        """That of an achievement, and those of its parts."""
        whole = self._known(entry, 0)
        parts = tuple(self._known(part, part_number(part.id, i)) for i, part in enumerate(entry.parts))
        step, below = steps_of(whole, parts)
        self._compare(entry, whole, step)
        if step not in SETTLED:
            for part, known, own in zip(entry.parts, parts, below, strict=True):
                self._compare(part, known, own)
        return step, below

    def _known(self, entry: Entry, number: int) -> Known:
        if self._keys.is_shared(entry.id) and self._folder.has(entry.id):
            self._remarks.note("shared-file-name", entry.id, entry.steps)
        return Known(papers=tuple(self.papers(entry)), said=self._said(entry), number=number)

    def _compare(self, entry: Entry, known: Known, step: Step) -> None:
        said = known.said
        if said is not None and said != step and {said, step} & SETTLED:
            self._remarks.note("status-differs", entry.id, entry.at("status"))

    def _said(self, entry: Entry) -> Step | None:
        """The file's own word; None where it has none that is known."""
        value = entry.values.get("status")
        if value is None:
            return None
        step = step_said(value)
        if step is None:
            about = repr(shown(entry.id))
            self._reading.unknown_status(about, value, entry.at("status"), (entry.id,), _WORDS, counts_as="not started")
        return step


def step_said(value: object) -> Step | None:
    """What a `status` means; None for a word that nobody knows."""
    return _WORDS.get(re.sub(r"[\s-]+", "_", value.strip().casefold())) if isinstance(value, str) else None


def context_of(papers: Sequence[Paper], folder: Folder, part: int | None) -> Iterator[str]:
    """The papers that go with a prompt: what was planned, what was begun, what is to be put right.

    `part`: the number of a part, whose own execution alone goes with it."""
    for step in ("subplan_created", "execution_created", "failed"):
        for paper in papers:
            mine = step != "execution_created" or part is None or paper.number == part
            if paper.step == step and mine and folder.is_readable(paper):
                yield paper.path
