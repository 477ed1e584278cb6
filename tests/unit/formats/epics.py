"""Small CFN epics, and short ways to ask about them."""

from __future__ import annotations

import json

from stretto.formats.load import Loaded, load
from stretto.model.plan import Finding, Task
from unit.formats.corpus import sample

SAMPLES = sorted(sample("cfn-epic").iterdir())


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def waits(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    return {phase.id: phase.depends_on for phase in loaded.plan.phases}


def read(**keys: object) -> Loaded:
    return load("epic.json", json.dumps({"epicId": "e", "name": "E", **keys}).encode())


def codes(loaded: Loaded) -> list[str]:
    return [x.code for x in loaded.findings]


def only(loaded: Loaded, code: str) -> Finding:
    (found,) = [x for x in loaded.findings if x.code == code]
    return found


def sprint(id: str, *needs: str, **more: object) -> dict[str, object]:
    return {"id": id, "name": f"Do {id}", "dependencies": list(needs), **more}
