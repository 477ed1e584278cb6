"""Reading twice as much takes twice as many steps, also of plans that nobody would write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from stretto.formats.load import load

N = 150


def steps(file: str, text: str) -> int:
    """How many functions are called to read it: the same on every machine."""
    count = 0

    def called(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        load(file, text.encode())
    finally:
        sys.setprofile(None)
    return count


def epic(n: int) -> str:
    sprints = [{"id": f"sprint-1-{i}", "name": "S", "dependencies": ["sprint-1"]} for i in range(n)]
    return json.dumps({"epicId": "e", "name": "E", "sprints": sprints})


def loose(n: int) -> str:
    whole = [{"id": i, "title": "t", "subtasks": [{"id": 1, "title": "s"}]} for i in range(n)]
    return json.dumps({"master": {"tasks": [*whole, *({"id": n + i, "title": "t"} for i in range(n))]}})


def issues(n: int) -> str:
    """Epics within epics, and issues that wait for the outermost."""

    def one(i: int) -> dict[str, object]:
        link = {"depends_on_id": f"b-{i - 1}", "type": "parent-child"} if i < n else {"depends_on_id": "b-0"}
        return {"id": f"b-{i}", "title": "t", "status": "open", "issue_type": "task", "dependencies": [link]}

    return "\n".join(json.dumps(one(i)) for i in range(2 * n))


def parts(n: int) -> str:
    whole = {"achievement_id": "1.1", "title": "t", "dependencies": [], "sub_executions": [
        {"execution_id": f"1.1.{i}", "title": "x"} for i in range(n)]}  # fmt: skip
    return json.dumps({"plan_name": "P", "parallelization_level": "level_1", "achievements": [whole]})


def phases(n: int) -> str:
    found = (f"## Phase {i}: User Story {i}\n\n- [ ] T{i:03} [US{i}] Do it in src/a{i}.py\n" for i in range(1, n))
    waits = (f"- **User Story {i}**: depends on User Story {i - 1}\n" for i in range(2, n))
    return "".join(("# Tasks: X\n", *found, "\n## Dependencies\n", *waits))


def quoted(n: int) -> str:
    return "# X\n" + "".join(f'- [ ] Do thing {i} of it (depends on "nothing like {i}")\n' for i in range(n))


def labels(n: int) -> str:
    return "# X\n" + "".join(f"Label {i}:\n\n- [ ] Do {i}\n\n" for i in range(n))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("epic.json", epic),
        ("tasks.json", loose),
        ("issues.jsonl", issues),
        ("parallel.json", parts),
        ("tasks.md", phases),
        ("TODO.md", quoted),
        ("TODO.md", labels),
    ],
)
def test_twice_the_plan_is_twice_the_steps(file: str, text: Callable[[int], str]) -> None:
    steps(file, text(10))  # what is done once for all
    assert steps(file, text(2 * N)) < 2.4 * steps(file, text(N))
