"""The plan of an answer, held against the document: real readers, real lint, and what only discovery asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from stretto.analysis.conflicts import conflicts
from stretto.analysis.graph import build, levels
from stretto.analysis.lint import lint
from stretto.analysis.wording import listed, quoted, shown
from stretto.errors import PlanError
from stretto.model.plan import Finding, Location, Plan, Task, Value
from stretto.recipes.discovery.answer import Answer, Unsound, understood
from stretto.recipes.discovery.question import Question, Shape
from stretto.recipes.discovery.sketch import same_priority

_FORMATS: Final[Mapping[Shape, str]] = {"stretto": "stretto", "parallel.json": "parallel-json"}
_MOST: Final = 20
"""So many faults are told at once."""
_KEYS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "stretto": {
        "plan": frozenset({"name", "phases", "tasks", "hot_files"}),
        "phases": frozenset({"id", "title", "depends_on", "parallel", "tasks"}),
        "tasks": frozenset(
            {"id", "title", "prompt", "depends_on", "after", "writes", "estimate", "priority"},
        ),
    },
    "parallel.json": {
        "plan": frozenset({
            *("plan_name", "parallelization_level", "created_date", "achievements", "priority_groups"),
            *("cross_priority_dependencies", "notes", "analysis_notes"),
        }),
        "achievements": frozenset({
            *("achievement_id", "title", "description", "dependencies", "status", "estimated_hours", "priority"),
            "sub_executions",
        }),
        "sub_executions": frozenset(
            {"execution_id", "title", "description", "dependencies", "status", "estimated_hours"},
        ),
    },
}  # fmt: skip
"""What the objects of a plan may have. A command in it would be run one day, and the document may be anybody's."""


class Read(Protocol):
    """What a reader of plans gives back."""

    @property
    def plan(self) -> Plan: ...
    @property
    def places(self) -> Mapping[str, Location]: ...
    @property
    def findings(self) -> Sequence[Finding]: ...


Reader = Callable[[bytes], Read]
"""Reads the text of a plan. Raises PlanError."""


class Found(Value, frozen=True, kw_only=True):
    """An answer that can be taken."""

    answer: Answer
    plan: Plan | None
    """None with a no."""


def shape_of(tree: Mapping[str, Any]) -> Shape | None:
    """The form that the plan of an answer has, by what it lists; None where nobody can tell."""
    lists: dict[str, Shape] = {"tasks": "stretto", "phases": "stretto", "achievements": "parallel.json"}
    found = {shape for key, shape in lists.items() if key in tree}
    return found.pop() if len(found) == 1 else None


def judged(text: str, question: Question, read: Reader, original: Plan | None = None) -> Found:
    """What an agent's text comes to. `original`: the plan that it is merged with, if the document is one. Raises
    Unsound."""
    answer = understood(text)
    plan = None if answer.plan is None else plan_of(answer.plan, question, read, original)
    return Found(answer=answer, plan=plan)


def plan_of(tree: Mapping[str, Any], question: Question, read: Reader, original: Plan | None = None) -> Plan:
    """The plan that the answer gives, as it can be run, merged with the `original` where there is one. Raises
    Unsound."""
    if foreign := list(_foreign(tree, question.shape)):
        raise Unsound(foreign[:_MOST])
    try:
        found = read(msgspec.json.encode(tree))
    except PlanError as error:
        raise Unsound([_told(finding) for finding in error.findings[:_MOST]] or [f"the plan: {error}"]) from error
    plan = found.plan
    if plan.format != _FORMATS[question.shape]:
        raise Unsound([f"the plan is not of the form that was asked for: it looks like one of {plan.format}"])
    if faults := list(_astray(tree, plan, question)):
        raise Unsound(faults[:_MOST])
    if original is not None:
        plan = merged(plan, original)
    findings = (*found.findings, *lint(plan, found.places))
    faults = [_told(finding) for finding in findings if finding.severity == "error"] or list(_at_once(plan))
    if faults:
        raise Unsound(faults[:_MOST])
    return plan


def merged(plan: Plan, original: Plan) -> Plan:
    """The tasks of the document, which is a plan itself, in the order that was found: with their own prompts, checks
    and agents, and with the paths and times of the answer where it has some."""
    own = {task.id: task for task in original.tasks}
    return replace(original, phases=plan.phases, tasks=tuple(_merged(own[task.id], task) for task in plan.tasks))


def _merged(own: Task, found: Task) -> Task:
    writes = own.writes if found.writes is None else found.writes
    effect = own.effect if writes == own.writes else own.effect or ("changes" if writes else "any")
    return replace(
        own,
        phase=found.phase,
        depends_on=found.depends_on,
        after=found.after,
        writes=writes,
        effect=effect,
        estimate_s=own.estimate_s if found.estimate_s is None else found.estimate_s,
    )


def _told(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"the plan: {finding.message}{hint}"


def _foreign(tree: Mapping[str, Any], shape: Shape) -> Iterator[str]:
    """Keys that an answer has no business with."""
    kinds = _KEYS[shape]

    def within(table: Mapping[str, Any], kind: str, name: str) -> Iterator[str]:
        if more := [key for key in table if key not in kinds[kind]]:
            yield f"{name} may not have {listed(more)}; it may have {listed(sorted(kinds[kind]), 20)}"
        for key in kinds.keys() & table.keys():
            members = table[key] if isinstance(table[key], list) else ()
            for i, member in enumerate(members):
                if isinstance(member, dict):
                    id = next((member[x] for x in ("id", "achievement_id", "execution_id") if x in member), i + 1)
                    yield from within(member, key, f"{_SINGLE[key]} {quoted(shown(str(id)))}")

    yield from within(tree, "plan", "the plan")


_SINGLE: Final = {
    "phases": "phase", "tasks": "task", "achievements": "achievement", "sub_executions": "sub-execution",
}  # fmt: skip


def _astray(tree: Mapping[str, Any], plan: Plan, question: Question) -> Iterator[str]:
    """What is not about the part of the document that was asked about."""
    ids = [task.id for task in plan.tasks]
    if question.ids:
        if missing := [id for id in question.ids if id not in ids]:
            yield f"the plan lacks {listed(missing, _MOST)}, which the document has"
        if more := [id for id in ids if id not in question.ids]:
            yield f"the plan has {listed(more, _MOST)}, which the document does not have, or has done"
    if others := [id for id in ids if id in question.outside]:
        yield f"{listed(others)}: not of priority {quoted(question.about)}, which alone was asked about"
    if question.shape == "stretto":
        return
    level = f"level_{question.breadth}"
    if tree.get("parallelization_level") != level:
        yield f'`parallelization_level` should be "{level}"'
    listed_there = tree.get("achievements")
    achievements = [one for one in listed_there if isinstance(one, dict)] if isinstance(listed_there, list) else []
    named = [str(one.get("achievement_id")) for one in achievements]
    if question.breadth == 1 and (named != [question.about] or len(ids) < 2):
        yield f"there should be one achievement, {quoted(question.about)}, with two or more `sub_executions`"
    if question.breadth == 2 and (
        others := [id for id, one in zip(named, achievements, strict=True) if _elsewhere(id, one, question)]
    ):
        yield f"{listed(others)}: not of priority {quoted(question.about)}, which alone was asked about"


def _elsewhere(id: str, achievement: Mapping[str, Any], question: Question) -> bool:
    """Whether neither its id nor its own word has the priority that was asked about."""
    return question.about not in (same_priority(str(achievement.get("priority"))), id.partition(".")[0])


def _at_once(plan: Plan) -> Iterator[str]:
    """What speaks against the yes: claims that meet, or nothing that could run at the same time."""
    graph = build(plan)
    for conflict in conflicts(plan, graph)[:_MOST]:
        yield (
            f"the checklist says that no two tasks write the same file, but {listed(conflict.tasks)} write "
            f"{quoted(conflict.path)}: order them, or give them other paths"
        )
    level = [level for node, level in enumerate(levels(graph)) if not graph.is_join(node)]
    if len(level) == len(set(level)):
        yield "the decision is yes, but no two tasks of the plan can run at the same time: then the decision is no"
