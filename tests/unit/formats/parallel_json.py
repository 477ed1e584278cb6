"""A `parallel.json` to test with, and what is asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stretto.formats.load import Loaded, load
from stretto.model.plan import Task


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def needs(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    return {task.id: task.depends_on for task in loaded.plan.tasks}


def phases(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    return {phase.id: phase.depends_on for phase in loaded.plan.phases}


def codes(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    return {x.code: x.tasks for x in loaded.findings}


def read(*achievements: object, folder: Path | None = None, level: object = "level_3", **more: object) -> Loaded:
    plan = {"plan_name": "P", "parallelization_level": level, "achievements": list(achievements), **more}
    path = (folder or Path("/nowhere")) / "parallel.json"
    return load(path, json.dumps(plan).encode())


def one(id: object = "1.1", **more: object) -> dict[str, object]:
    return {"achievement_id": id, "title": f"Do {id}", "dependencies": [], **more}


def kept(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
