"""The plan under lint, with what the rules share: its graph, its places in the file, the way to make a finding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Literal

from stretto.analysis.conflicts import Meeting, meetings
from stretto.analysis.estimate import durations
from stretto.analysis.graph import Graph, build, topological
from stretto.model.plan import Finding, Location, Phase, Plan, Task
from stretto.model.run import RunSettings

Severity = Literal["error", "warning", "info"]

CODES: Mapping[str, Severity] = {
    "ambiguous-id": "warning",
    "bad-number": "error",
    "bare-task": "info",
    "bottleneck": "info",
    "chain-cost": "info",
    "claim-outside": "error",
    "contract-awaited": "warning",
    "contract-overlap": "info",
    "contract-twice": "error",
    "contract-unmet": "error",
    "contract-unused": "info",
    "cycle": "error",
    "duplicate-id": "error",
    "empty-check": "error",
    "empty-phase": "warning",
    "empty-plan": "warning",
    "hot-path": "info",
    "missing-estimate": "info",
    "missing-file": "error",
    "missing-prompt": "error",
    "needless-conflict": "info",
    "needless-dependency": "info",
    "odd-id": "error",
    "one-at-a-time": "info",
    "overlap": "warning",
    "parallel-anyway": "info",
    "path-outside": "error",
    "self-conflict": "warning",
    "self-dependency": "error",
    "setup-missing": "error",
    "setup-tracked": "error",
    "similar-id": "warning",
    "unknown-id": "error",
    "unknown-scope": "info",
    "unsupported": "error",
    "wait-cycle": "error",
    "wide-claim": "info",
}
"""Every code that lint gives, with how much it weighs; each has its section in docs/findings.md."""


class Subject:
    """One plan; everything that costs is worked out once, when first asked for."""

    def __init__(
        self,
        plan: Plan,
        places: Mapping[str, Location],
        settings: RunSettings,
        exists: Callable[[str], bool],
        present: Callable[[str], bool],
        tracked: Callable[[str], bool],
        goes_by_prompt: Callable[[Task], bool],
    ) -> None:
        self.plan, self.settings = plan, settings
        self.exists, self.present, self.tracked = exists, present, tracked
        self.goes_by_prompt = goes_by_prompt
        self._places = places

    @cached_property
    def graph(self) -> Graph:
        return build(self.plan)

    @cached_property
    def order(self) -> list[int]:
        return topological(self.graph)

    @property
    def acyclic(self) -> bool:
        return len(self.order) == len(self.graph.names)

    @cached_property
    def ids(self) -> Mapping[Literal["task", "phase"], tuple[str, ...]]:
        """In plan order, and as often as the plan says them."""
        return {"task": self.graph.names[: self.graph.tasks], "phase": self.graph.names[self.graph.tasks :]}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Of each task id, the place of the first task that has it."""
        return {id: i for i, id in reversed(list(enumerate(self.ids["task"])))}

    @cached_property
    def durations_s(self) -> list[float]:
        return durations(self.plan, self.settings.estimate_s)

    @cached_property
    def meetings(self) -> tuple[Meeting, ...]:
        return meetings(self.plan)

    @cached_property
    def left(self) -> list[Task]:
        """Tasks that have not succeeded yet."""
        return [task for task in self.plan.tasks if task.status != "succeeded"]

    @cached_property
    def named(self) -> frozenset[str]:
        """Phases with a task that depends on another one there: only such dependencies order them (R1.4)."""
        home: dict[str, str] = {}
        for task in self.plan.tasks:
            home.setdefault(task.id, task.phase)
        return frozenset(t.phase for t in self.plan.tasks if any(home.get(name) == t.phase for name in t.depends_on))

    @property
    def parallel_key(self) -> str:
        """How the plan's format says that the tasks of a phase may run side by side; empty: it has no word for it."""
        return {"stretto": "parallel", "auto-claude": "parallel_safe"}.get(self.plan.format, "")

    @property
    def own_format(self) -> bool:
        return self.plan.format == "stretto"

    @property
    def in_place(self) -> bool:
        """Whether all tasks work in one folder (R10.3)."""
        return self.settings.isolation == "none"

    def atomic(self, phase: Phase) -> bool:
        """Whether the phase lands as one commit or not at all."""
        return (phase.on_failure or self.plan.defaults.on_failure) == "rollback"

    def place(self, owner: str, field: str = "", index: int | None = None) -> Location | None:
        """Where `owner` (`task:a`, `phase:p`, `plan`) says this; else where the field, the owner or the plan stands."""
        keys = [owner, "plan"]
        if field:
            keys.insert(0, f"{owner}:{field}")
            if index is not None:
                keys.insert(0, f"{owner}:{field}:{index}")
        return next((found for key in keys if (found := self._places.get(key)) is not None), None)

    def claim_place(self, path: str, tasks: Collection[str]) -> Location | None:
        """Where the first of these tasks claims the path, else where that task's claims stand."""
        named = set(tasks)
        for task in self.plan.tasks:
            if task.id in named and path in (task.writes or ()):
                return self.place(f"task:{task.id}", "writes", (task.writes or ()).index(path))
        return self.place(f"task:{next(iter(tasks))}", "writes")


def finding(
    code: str,
    message: str,
    location: Location | None,
    *,
    hint: str = "",
    tasks: tuple[str, ...] = (),
    severity: Severity | None = None,
) -> Finding:
    return Finding(
        code=code,
        severity=severity or CODES[code],
        message=message,
        hint=hint,
        location=location,
        tasks=tasks,
        unsupported=code == "unsupported",
    )
