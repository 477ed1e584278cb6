"""One large plan, said in every format that stretto reads: for how long reading it takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

EACH = 100
"""Tasks in a phase."""


class Part(NamedTuple):
    number: int
    needs: Sequence[int]
    """Numbers of tasks in the phase before."""

    @property
    def path(self) -> str:
        return f"src/m{self.number // 10}/f{self.number}.py"

    @property
    def words(self) -> str:
        return f"do part {self.number} of the work"


@cache
def parts(tasks: int) -> Sequence[Sequence[Part]]:
    """Phase by phase: half of the tasks wait for some of the phase before."""
    random_ = random.Random(1)

    def needs(first: int, number: int) -> Sequence[int]:
        return random_.sample(range(first - EACH, first), 3) if first and number % 2 else ()

    return [
        [Part(number, needs(first, number)) for number in range(first, first + EACH)] for first in range(0, tasks, EACH)
    ]


def stretto(tasks: int) -> bytes:
    phases = [
        {
            "id": f"p{i}",
            "tasks": [
                {
                    "id": f"t{part.number}",
                    "prompt": part.words,
                    "writes": [part.path],
                    "verify": ["make test"],
                    "estimate": "5m",
                    "depends_on": [f"t{n}" for n in part.needs],
                }
                for part in phase
            ],
        }
        for i, phase in enumerate(parts(tasks))
    ]
    return msgspec.json.encode({"name": "big", "phases": phases})


def auto_claude(tasks: int) -> bytes:
    phases = [
        {
            "id": f"p{i}",
            "name": f"Phase {i}",
            "parallel_safe": True,
            "subtasks": [
                {
                    "id": f"t{part.number}",
                    "description": part.words,
                    "status": "pending",
                    "files_to_modify": [part.path],
                    "verification": {"type": "command", "command": "make test"},
                    "dependencies": [f"t{n}" for n in part.needs],
                }
                for part in phase
            ],
        }
        for i, phase in enumerate(parts(tasks))
    ]
    return msgspec.json.encode({"feature": "big", "workflow_type": "feature", "phases": phases})


def cfn_epic(tasks: int) -> bytes:
    sprints = [
        {
            "id": f"sprint-{i}",
            "name": f"Sprint {i}",
            "status": "pending",
            "dependencies": [],
            "parallelizable": True,
            "tasks": [
                {
                    "id": f"t{part.number}",
                    "name": part.words,
                    "files": [part.path],
                    "status": "pending",
                    "dependencies": [f"t{n}" for n in part.needs],
                }
                for part in phase
            ],
        }
        for i, phase in enumerate(parts(tasks))
    ]
    return msgspec.json.encode({"epicId": "big", "name": "Big", "sprints": sprints})


def dynamic_phases(tasks: int) -> bytes:
    phases = [
        {
            "number": part.number,
            "name": part.words,
            "domain": "feature",
            "features": [f"Feature {part.number}"],
            "plannedFiles": [part.path],
            "dependencies": part.needs,
            "status": "pending",
        }
        for phase in parts(tasks)
        for part in phase
    ]
    return msgspec.json.encode({"appName": "Big", "phases": phases})


def task_master(tasks: int) -> bytes:
    whole = [
        {
            "id": i,
            "title": f"Task {i}",
            "status": "pending",
            "dependencies": [],
            "subtasks": [
                {
                    "id": part.number % EACH + 1,
                    "title": part.words,
                    "status": "pending",
                    "relevantFiles": [{"path": part.path, "action": "modify"}],
                    "dependencies": [f"{n // EACH}.{n % EACH + 1}" for n in part.needs],
                }
                for part in phase
            ],
        }
        for i, phase in enumerate(parts(tasks))
    ]
    return msgspec.json.encode({"master": {"tasks": whole}})


def beads(tasks: int) -> bytes:
    def issue(id: str, title: str, type: str, **more: object) -> dict[str, object]:
        return {"id": id, "title": title, "status": "open", "issue_type": type, "priority": 2, **more}

    def issues() -> Iterator[dict[str, object]]:
        for i, phase in enumerate(parts(tasks)):
            yield issue(f"big-{i}", f"Epic {i}", "epic")
            for part in phase:
                links = [{"depends_on_id": f"big-{n // EACH}.{n}", "type": "blocks"} for n in part.needs]
                text = f"Change `{part.path}`."
                yield issue(f"big-{i}.{part.number}", part.words, "task", description=text, dependencies=links)

    return b"\n".join(map(msgspec.json.encode, issues()))


def parallel_json(tasks: int) -> bytes:
    achievements = [
        {
            "achievement_id": f"{n // EACH}.{n % EACH}",
            "title": part.words,
            "files": [part.path],
            "estimated_hours": 2,
            "dependencies": [f"{x // EACH}.{x % EACH}" for x in part.needs],
        }
        for phase in parts(tasks)
        for part in phase
        for n in [part.number]
    ]
    return msgspec.json.encode({"plan_name": "BIG", "parallelization_level": "level_3", "achievements": achievements})


def kiro(tasks: int) -> bytes:
    """What waits for what is said by waves; all of a phase are in one."""

    def lines() -> Iterator[str]:
        yield "# Implementation Plan: Big\n\n## Tasks\n"
        for i, phase in enumerate(parts(tasks), start=1):
            yield f"- [ ] {i}. Phase {i}"
            for n, part in enumerate(phase, start=1):
                yield f"  - [ ] {i}.{n} {part.words} in `{part.path}`\n    - _Requirements: 1.1_"
        waves = [
            {"id": i, "tasks": [f"{i + 1}.{n}" for n in range(1, len(phase) + 1)]}
            for i, phase in enumerate(parts(tasks))
        ]
        graph = msgspec.json.encode({"waves": waves}).decode()
        yield f"\n## Task Dependency Graph\n\n```json\n{graph}\n```"

    return "\n".join(lines()).encode()


def spec_kit(tasks: int) -> bytes:
    """What waits for what is said by phases."""

    def lines() -> Iterator[str]:
        yield "# Tasks: Big\n"
        for i, phase in enumerate(parts(tasks), start=1):
            yield f"\n## Phase {i}: Part {i}\n"
            for part in phase:
                yield f"- [ ] T{part.number:03} [P] {part.words} in {part.path}"

    return "\n".join(lines()).encode()


def checklist(tasks: int) -> bytes:
    def lines() -> Iterator[str]:
        yield "# Big"
        for i, phase in enumerate(parts(tasks), start=1):
            yield f"\n## Part {i}\n"
            for part in phase:
                waits = f" (depends on {', '.join(f'X-{n}' for n in part.needs)})" if part.needs else ""
                yield f"- [ ] X-{part.number}: {part.words} in `{part.path}`{waits}"

    return "\n".join(lines()).encode()


FORMATS: dict[str, Callable[[int], bytes]] = {
    "stretto": stretto,
    "auto-claude": auto_claude,
    "cfn-epic": cfn_epic,
    "dynamic-phases": dynamic_phases,
    "task-master": task_master,
    "beads": beads,
    "parallel-json": parallel_json,
    "kiro": kiro,
    "spec-kit": spec_kit,
    "checklist": checklist,
}
"""How the plan of so many tasks is said, by the names of formats."""
