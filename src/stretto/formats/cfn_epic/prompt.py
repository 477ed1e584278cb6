"""The prompt of a task: what the epic, its phase and its sprint say, and then everything that is said of the task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from stretto.formats.auto_claude.prompt import plain
from stretto.formats.cfn_epic.outline import NAMES, Kind, Node, fold, holders, parts_key

_TELLING = ("description", "goal", "objective", "purpose", "story")
_ACCEPTED = ("successcriteria", "successmetrics", "acceptancecriteria", "epicacceptancecriteria")
_EPIC = (
    *("description", "epicdescription", "epicgoal", "goal", "goals", "epicgoals", "strategicgoals", "objectives"),
    *("executivesummary", "background", "scope", "scopeboundaries", "epicscope", "inscope", "outofscope"),
    *("constraints", "architecture", "architecturereferences", "references", "documentation", "overviewfile"),
    *("teststrategy", "testingstrategy", "qualitygates", "loopthresholds", "phasegates", "decisionauthorityconfig"),
    *_ACCEPTED,
)
"""Of the whole epic only what says how to work; plans of people, money and days do not help."""
_BARE = {"description", "epicdescription", "epicgoal", "goal"}
_LAST = ("files", "file", "acceptance", "acceptancecriteria", "successcriteria", "validation", "verification")
_BOOKKEEPING = {
    *NAMES,
    *("id", "epicid", "phaseid", "sprintid", "taskid", "subtaskid", "deliverableid", "testid", "storyid", "status"),
    *("phasenumber", "sprintnumber", "number", "order", "priority", "dependencies", "dependson", "sprints"),
    *("crossphasedependencies", "parallelizable", "parallelism", "parallel", "parallelsafe", "parallelexecution"),
    *("duration", "durationestimate", "estimatedduration", "estimatedtime", "estimatedeffort", "effort", "estimate"),
    *("effortestimate", "timeestimate", "estimatedhours", "efforthours", "durationhours", "hours", "estimatedminutes"),
    *("durationminutes", "estimateddays", "durationdays", "effortestimatedays", "sprintdurationdays", "sprintduration"),
    *("estimatedweeks", "durationweeks", "sprintdurationweeks", "estimateddurationweeks", "estimatedagents", "weeks"),
    *("agentrequirements", "estimatedcomplexity", "confidence", "confidencetarget", "completiondate", "completedat"),
    *("startedat", "createdat", "updatedat", "startdate", "targetdate", "owner", "loopconfig", "blockssubsequent"),
    *("loop2agents", "loop3agents", "agents", "maxparallel", "maxagents", "maxparallelagents"),
}
_NAMES = {
    "file": "File",
    "inscope": "In scope",
    "outofscope": "Out of scope",
    "acceptance": "Acceptance criteria",
    "overviewfile": "More of it",
    "tasks": "What to do",
    "acceptancecriteria": "Acceptance criteria",
    "decisionauthorityconfig": "Decisions",
}
_OF_PHASE = {"file": "More of it"}
_MAX_EPIC, _MAX_AROUND, _MAX_SECTION = 16_000, 8_000, 4_000
_NEIGHBOURS = 12


def epic_words(epic: Node) -> str:
    """What every task of the epic is told of it; long parts are cut."""
    name = next(filter(None, (x.name for x in reversed(holders(epic)))), "")
    parts = [f"# {name}"] if name else []
    for folded in _EPIC:
        for holder in holders(epic):
            key = holder.key(folded)
            if key is None:
                continue
            heading = "The whole epic is accepted when" if folded in _ACCEPTED else ""
            text = _section(key, holder.values[key], heading, bare=folded in _BARE)
            parts += [_clipped(text, _MAX_SECTION)] if text else []
    return _clipped("\n\n".join(parts), _MAX_EPIC)


def around_words(node: Node) -> str:
    """What a phase or a sprint says of itself, without what is in it."""
    key = None if node.kind == "phase" and not node.is_group else parts_key(node)
    heading = f"## {node.kind.capitalize()}: {node.name or node.own_id}"
    return _clipped("\n\n".join((heading, *_said(node, {key or ""}, of_phase=node.kind == "phase"))), _MAX_AROUND)


def prompt(epic: str, around: Sequence[str], task: Node, waits: Sequence[str]) -> str:
    """Self-contained instructions. `epic` and `around`: words of the above; `waits`: what has to be there already."""
    group = task.parent if task.kind == "part" else None
    parts = [epic, *around, f"## Your task: {task.name or task.own_id}"]
    parts += _said(task, set(), of_phase=False)
    if waits:
        parts.append("It builds on:\n" + "\n".join(f"- {x}" for x in waits))
    if group is not None and len(group.children) > 1:
        parts.append(_neighbours(group, task))
    return "\n\n".join([x for x in parts if x and not x.isspace()]) + "\n"


def _neighbours(group: Node, task: Node) -> str:
    """The other parts of the sprint near this one, so that nobody does another's work."""
    here = group.children.index(task) if len(group.children) <= _NEIGHBOURS else int(task.steps[-1])
    low = max(0, here - _NEIGHBOURS // 2)
    near = [x for x in group.children[low : low + _NEIGHBOURS] if x is not task]
    return "Other agents do the other parts of this " + (
        f"{group.kind}:\n" + "\n".join(f"- {x.name or x.own_id}" for x in near)
    )


def _said(node: Node, without: set[str], *, of_phase: bool) -> Iterator[str]:
    """Everything that helps to do it: what it is first, how it is judged last, keys that nobody knows between."""
    for folded in _TELLING:
        key = node.key(folded, f"{node.kind}{folded}")
        if key is not None and key not in without:
            yield _section(key, node.values[key], bare=folded == "description")
    apart = _told_apart(node.kind)
    for key, value in node.values.items():
        if key not in without and fold(key) not in apart:
            yield _section(key, value)
    for folded in _LAST:
        key = node.key(folded)
        if key is not None and key not in without:
            yield _section(key, node.values[key], _OF_PHASE.get(folded, "") if of_phase else "")


@cache
def _told_apart(kind: Kind) -> frozenset[str]:
    """Folded keys that have a place of their own, or none."""
    return frozenset((*_TELLING, *(f"{kind}{x}" for x in _TELLING), *_LAST, *_BOOKKEEPING))


def _section(key: str, value: object, heading: str = "", *, bare: bool = False) -> str:
    text = plain(value)
    if not text.strip():
        return ""
    if bare and isinstance(value, str):
        return text
    heading = heading or _NAMES.get(fold(key)) or _spaced(key)
    return f"{heading}:\n{text}" if "\n" in text or isinstance(value, list | dict) else f"{heading}: {text}"


def _spaced(key: str) -> str:
    """`technicalSpecs` and `technical_specs` as a heading."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key).replace("_", " ").split()
    return " ".join(x if x.isupper() else x.lower() for x in words)[:100].capitalize()


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def has_work(values: Mapping[str, object]) -> bool:
    """Whether anything is said of what is to be done."""
    return any(_tells(fold(key)) and plain(value) for key, value in values.items())


def _tells(folded: str) -> bool:
    return folded in NAMES or folded not in _BOOKKEEPING
