"""stretto's own plan format as a JSON Schema, for editors and other programs; `native.py` is what judges a plan.

A test holds the two together: every key that the reader knows is here, and no other.
"""

from __future__ import annotations

from typing import Any

from stretto.formats.reading import MAX_SECONDS

Schema = dict[str, Any]

_NUMBER = r"[0-9]+(\.[0-9]+)?"
_SPELLED = "^(?=.*[0-9])(" + "".join(rf"\s*({_NUMBER}\s*{unit})?" for unit in "dhms") + rf"|\s*{_NUMBER})\s*$"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_ID: Schema = {
    "type": ["string", "number", "boolean"],  # YAML reads 1.10 and no so; the reader takes them as they are spelled
    "description": "Any text on one line that is not blank.",
}
_IDS: Schema = {"anyOf": [_ID, {"type": "array", "items": _ID}]}
DURATION: Schema = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_SECONDS},
        {"type": "string", "pattern": _SPELLED},
    ],
    "description": "Seconds, or text such as 90s, 15m or 1h30m.",
}
_POLICY: Schema = {"enum": ["continue", "stop", "rollback"], "description": "What a failed task means for the rest."}


def _texts(about: str) -> Schema:
    return {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}], "description": about}


def _count(low: int, high: int, about: str) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "description": about}


def _table(properties: dict[str, Schema], *required: str) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


_AGENT = _texts("Who does it, first choice first.")
_ATTEMPTS = _count(1, 1000, "Tries that cost something.")
_CHECK: Schema = {
    "oneOf": [
        _TEXT,
        _table({"run": _TEXT, "expected": {"type": "string", "pattern": r"^\s*\S*\s*$"}, "timeout": DURATION}, "run"),
        _table({"approval": _TEXT}, "approval"),
    ],
    "description": "A command; or `run` with more about it; or `approval`, a question to a person.",
}
_A_CHECK: Schema = {"$ref": "#/$defs/check"}
_CHECKS: Schema = {
    "anyOf": [_A_CHECK, {"type": "array", "items": _A_CHECK}],
    "description": "How to tell that it is right.",
}
_TASK = _table(
    {
        "id": _ID,
        "title": {"type": "string"},
        "prompt": {"type": "string", "description": "What the agent is told."},
        "prompt_file": {"type": "string", "description": "A file with the prompt, relative to the plan."},
        "context": _texts("Files that go with the prompt, relative to the plan."),
        "depends_on": _IDS | {"description": "Tasks or phases that must have landed first."},
        "after": _IDS | {"description": "Tasks or phases that must be final first, whatever their outcome."},
        "conflicts_with": _IDS | {"description": "Tasks or phases that it never runs beside."},
        "provides": _IDS | {"description": "Contracts that it fulfils."},
        "uses": _IDS | {"description": "Contracts that it works against; it lands behind their providers."},
        "writes": _texts("Paths and globs that it may touch; an empty list: none."),
        "artifacts": _texts("Paths that must be there when it is done."),
        "effect": {"enum": ["changes", "artifact", "any"], "description": "What it has to leave behind."},
        "verify": _CHECKS,
        "agent": _AGENT,
        "priority": _count(1, 5, "1 is first, 5 last; default 3."),
        "critical": {"type": "boolean", "description": "Without it nothing else goes on."},
        "optional": {"type": "boolean", "description": "The run may succeed without it."},
        "timeout": DURATION,
        "attempts": _ATTEMPTS,
        "estimate": DURATION,
        "carry": {"type": "boolean", "description": "A new agent goes on from what the last one left."},
    },
    "id",
)
_TASKS: Schema = {"type": ["array", "null"], "items": {"$ref": "#/$defs/task"}}
_PHASE = _table(
    {
        "id": _ID,
        "title": {"type": "string"},
        "depends_on": _IDS | {"description": "Phases that must have landed first."},
        "parallel": {"type": "boolean", "description": "false: one task after the other."},
        "max_parallel": _count(1, 10_000, "Tasks of it at once."),
        "on_failure": _POLICY,
        "tasks": _TASKS,
    },
    "id",
)
PLAN: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A plan of stretto",
    **_table(
        {
            "$schema": {"type": "string"},
            "name": _TEXT,
            "defaults": _table({"agent": _AGENT, "timeout": DURATION, "attempts": _ATTEMPTS, "on_failure": _POLICY}),
            "setup": _table(
                {
                    "copy": _texts("Ignored paths of your tree that are copied into each workspace."),
                    "link": _texts("The same, linked."),
                    "run": _texts("Commands that make a workspace ready."),
                }
            ),
            "gates": _table({"verify": _CHECKS | {"description": "What must hold on the merged tree."}}),
            "contracts": {
                "type": "object",
                "additionalProperties": {"anyOf": [_table({"schema": {"type": "string"}}), {"type": "null"}]},
                "description": "Interfaces that one task provides and others use, by name; each may have a schema.",
            },
            "context": _texts("Files that go with every prompt, relative to the plan."),
            "keep": _texts("Ignored paths that are saved with every attempt."),
            "hot_files": _texts("Files that many tasks touch; they keep no task waiting."),
            "prompt_template": {"type": "string", "description": "A file that arranges the prompts."},
            "isolation": {
                "enum": ["worktree", "none"],
                "description": "Where tasks work: each in a worktree of its own, or all in the folder itself.",
            },
            "phases": {"type": ["array", "null"], "items": _PHASE},
            "tasks": _TASKS,
        },
        "name",
    ),
    "anyOf": [{"required": ["phases"]}, {"required": ["tasks"]}],
    "$defs": {"task": _TASK, "check": _CHECK},
}
