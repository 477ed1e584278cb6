"""Answers of agents about documents, for the tests of discovery."""

from __future__ import annotations

import json
from typing import Any

from stretto.recipes.discovery.checklist import POINTS

Tree = dict[str, Any]


def checklist(*open: str) -> Tree:
    """A word on every point; those of `open` do not hold."""
    return {point.id: {"holds": point.id not in open, "why": f"looked at {point.id}"} for point in POINTS}


def task(id: str, *depends_on: str, **more: Any) -> Tree:
    """A task of stretto's own format, which writes a folder of its own."""
    return {
        "id": id, "title": f"Title of {id}", "prompt": f"Do {id}", "depends_on": list(depends_on),
        "writes": [f"src/{id}/**"], "estimate": "4h", **more,
    }  # fmt: skip


def own(*tasks: Tree, **more: Any) -> Tree:
    """A plan in stretto's own format; without tasks two that are free, and one that waits for both."""
    return {"name": "found", "tasks": list(tasks or (task("1.1"), task("1.2"), task("2.1", "1.1", "1.2"))), **more}


def achievement(id: str, *dependencies: str, **more: Any) -> Tree:
    return {
        "achievement_id": id, "title": f"Title of {id}", "description": f"Do {id}",
        "dependencies": list(dependencies), "status": "not_started", "estimated_hours": 4, **more,
    }  # fmt: skip


def part(id: str, **more: Any) -> Tree:
    return {
        "execution_id": id, "title": f"Title of {id}", "description": f"Do {id}", "dependencies": [],
        "status": "not_started", "estimated_hours": 2, **more,
    }  # fmt: skip


def parallel(*achievements: Tree, level: int = 3, **more: Any) -> Tree:
    """A parallel.json; without achievements two that are free, and one that waits for both."""
    found = achievements or (achievement("1.1"), achievement("1.2"), achievement("2.1", "1.1", "1.2"))
    return {
        "plan_name": "FOUND", "parallelization_level": f"level_{level}", "achievements": list(found), **more,
    }  # fmt: skip


def answer(plan: Tree | None, decision: str = "yes", *open: str, **more: Any) -> Tree:
    return {"decision": decision, "reason": "For a reason.", "checklist": checklist(*open), "plan": plan, **more}


def as_text(tree: object) -> str:
    return json.dumps(tree, indent=2)
