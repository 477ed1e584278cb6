"""The prompt of an achievement: what the file and the plan in words say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stretto.formats.auto_claude.prompt import plain
from stretto.formats.parallel_json.achievements import Entry
from stretto.formats.parallel_json.plan_paper import PlanPaper
from stretto.formats.reading import shown

_BOOKKEEPING = frozenset(
    {
        *("achievement_id", "execution_id", "sub_execution_id", "id", "achievement", "title", "name", "status"),
        *("priority", "dependencies", "depends_on", "blocks", "parallelizable_with", "can_parallelize_with"),
        *("estimated_hours", "actual_hours", "started_at", "completed_at", "executor", "sub_executions"),
        *("validation_script", "created_date", "created_at", "multi_executor"),
    }
)
_NOTES = ("description", "notes", "analysis_notes")
"""Of the whole plan."""
_MAX_NOTES = 4_000
_MAX_SHARED = 20_000
"""Characters of an achievement that go with each of its parts."""


class Prompts:
    """Self-contained instructions for every task of a plan; the papers of an achievement go along as context files."""

    def __init__(self, name: str, root: Mapping[str, object], paper: PlanPaper, paper_name: str) -> None:
        self._name = name
        self._paper = paper
        self._paper_name = paper_name
        notes = notes_of(root)
        self._plan = [f"# {name}"]
        self._plan += [f"Goal of the whole plan:\n{paper.goal}"] if paper.goal else []
        self._plan += [f"Notes on the plan:\n{notes}"] if notes else []

    def tells_of(self, entry: Entry) -> bool:
        """Whether there is more to say of it than its title."""
        return bool(self._paper.section(entry.id)) or any(self._more(entry))

    def title(self, entry: Entry) -> str:
        return shown(entry.title or self._paper.title(entry.id), 100)

    def of(self, entry: Entry, whole: Entry | None = None) -> str:
        """`whole`: the achievement that it is a part of."""
        parts = list(self._plan)
        if whole is not None:
            parts.append(f"## Achievement {whole.id}: {self.title(whole)}".rstrip(": "))
            parts.append(_clipped("\n\n".join(self._said(whole)), _MAX_SHARED))
            parts.append(f"## Your part of it: {self.title(entry) or entry.id}")
        else:
            parts.append(f"## Your task: achievement {entry.id}: {self.title(entry)}".rstrip(": "))
        parts += self._said(entry)
        closing = f"{entry.id} is one part of the plan; others do the rest."
        if self._paper_name:
            closing += f" {self._paper_name}, beside the plan file, has the whole plan."
        parts.append(f"{closing} Leave the plan file and the papers in its folder as they are.")
        return "\n\n".join(part for part in parts if part) + "\n"

    def more(self, entry: Entry) -> str:
        """What the file says of it beside its title."""
        return "\n\n".join(self._more(entry))

    def _said(self, entry: Entry) -> Iterator[str]:
        yield self._paper.section(entry.id)
        yield from self._more(entry)
        check = plain(entry.values.get("validation_script"))
        yield f"How it is checked: {check}" if check else ""

    def _more(self, entry: Entry) -> Iterator[str]:
        """Everything else that the file says of it, keys that nobody knows among them."""
        for key, value in entry.values.items():
            if key not in _BOOKKEEPING and not key.startswith("multi_executor_") and (text := plain(value)):
                yield text if key == "description" else f"{key.replace('_', ' ').strip().capitalize()}:\n{text}"


def notes_of(root: Mapping[str, object]) -> str:
    """What the file says of the whole plan."""
    return _clipped("\n\n".join(filter(None, (plain(root.get(key)) for key in _NOTES))), _MAX_NOTES)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
