"""Where in a file a dynamic phase plan stands, and what its phases are called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.dynamic_phases.domains import DOMAINS, domain_of
from stretto.formats.syntax.source import Source, Steps

_AROUND = (
    *("plan", "phasePlan", "phase_plan", "dynamicPhasePlan", "dynamic_phase_plan", "planSnapshot", "plan_snapshot"),
    *("state", "data", "metadata", "currentComponent"),
)
"""Keys below which exports, answers of the planner and the app's own storage keep a plan."""
_DEPTH = 4

NUMBERS = ("number", "phaseNumber")
_OF_PHASES = frozenset(
    {
        *("featureDetails", "testCriteria", "dependencyNames", "isLayoutInjection", "plannedFiles", "conceptContext"),
        *("relevantRoles", "implementedFeatures", "builtSummary", "builtFiles", "architectureContext"),
        *("estimatedTokens", "estimatedTime"),
    }
)
_OF_PLANS = frozenset(
    {
        *("appName", "appDescription", "totalPhases", "estimatedTotalTime", "estimatedTotalTokens", "concept"),
        *("currentPhaseNumber", "completedPhaseNumbers", "failedPhaseNumbers"),
        *("accumulatedFiles", "accumulatedFeatures"),
    }
)
_OTHERS = frozenset({"tasks", "subtasks", "chunks", "sprints", "prompt", "prompt_file"})
"""Keys that phases of this format never have."""
_ID = re.compile(r"(?:phase)?\s*#?\s*0*([0-9]+)(?:\.0+)?", re.IGNORECASE)
_EXACT = 2**53
_DIGITS = 15


def recognises(source: Source) -> bool:
    """Numbered phases with features or a domain, at the top or in what an export puts around it."""
    return source.syntax == "json" and find(source.tree) is not None


def find(tree: object) -> Steps | None:
    """The way to the plan; None where there is none."""
    front: list[tuple[Steps, object]] = [((), tree)]
    for _ in range(_DEPTH):
        for steps, value in front:
            if isinstance(value, dict) and _is_plan(value):
                return steps
        front = [
            ((*steps, key), value[key])
            for steps, value in front
            if isinstance(value, dict)
            for key in _AROUND
            if isinstance(value.get(key), dict)
        ]
    return None


def at(tree: object, steps: Steps) -> dict[str, object]:
    """The mapping there."""
    for step in steps:
        assert isinstance(tree, dict)
        tree = tree[step]
    assert isinstance(tree, dict)
    return tree


def phases(plan: dict[str, object]) -> Iterator[tuple[int, dict[str, object]]]:
    """The phases that are mappings, each with its place in the list."""
    value = plan.get("phases")
    for i, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, dict):
            yield i, each


def number_key(phase: dict[str, object]) -> str:
    return next((key for key in NUMBERS if phase.get(key) is not None), NUMBERS[0])


def id_of(value: object) -> str | None:
    """The id that a number of a phase stands for: `3`, `3.0`, `"3"` and `"Phase 3"` are one. None for no number."""
    match value:
        case bool():
            return None
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
        case str() if value.strip():
            found = _ID.fullmatch(value.strip())
            return found[1] if found else value.strip()
        case _:
            return None


def is_short_number(id: str) -> bool:
    """Whether JSON can have the id as a number that every reader of it takes for the same one."""
    return id.isascii() and id.isdecimal() and len(id) <= _DIGITS


def _is_plan(value: dict[str, object]) -> bool:
    members = [phase for _, phase in phases(value)]
    if any(_OTHERS & phase.keys() for phase in members) or "tasks" in value:
        return False
    marks = len(_OF_PLANS & value.keys())
    return any(map(_is_phase, members)) or marks >= (2 if isinstance(value.get("phases"), list) else 4)


def _is_phase(phase: dict[str, object]) -> bool:
    marks = len(_OF_PHASES & phase.keys())
    if any(key in phase for key in NUMBERS):
        return bool(marks) or "domain" in phase or "features" in phase
    if domain_of(phase) in DOMAINS and ("features" in phase or marks):
        return True
    return marks >= 2 and "id" not in phase
