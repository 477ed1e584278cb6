"""A folder of achievements to test with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stretto.formats.parallel_json.outline import outline
from stretto.model.achievements import Achievement, Achievements
from stretto.recipes.subplans.folder import look
from stretto.recipes.subplans.progress import Progress, progress_of

NOW = 1_800_000_000.0
DAY_S = 86_400.0
PLAN_WORDS = """# PLAN: Garden shop

## Goal

Sell seeds.

### Achievement 1.1: Seeds

- **Goal**: Know every seed
- **Deliverables**:
  1. `seeds.csv`, a list of seeds
  2. A test of it
- **Success Criteria**:
  - No seed is there twice
- **Dependencies**: None

### Achievement 1.2: Tools

Say which tools there are.
"""


def one(id: str, *needs: str, hours: float | None = None) -> Achievement:
    return Achievement(id=id, title=f"Do {id}", depends_on=needs, estimate_s=None if hours is None else hours * 3600)


def plan(*achievements: Achievement) -> Achievements:
    return Achievements(name="P", file="parallel.json", achievements=achievements)


def kept(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def seen(folder: Path, achievements: Achievements, *, now: float = NOW) -> Progress:
    return progress_of(achievements, look(folder, achievements), now=now)


def entry(id: object, *needs: str, **more: object) -> dict[str, object]:
    return {"achievement_id": id, "title": f"Do {id}", "dependencies": list(needs), **more}


def written(folder: Path, *entries: Mapping[str, object], name: str = "P", **more: object) -> Achievements:
    """The plan file of that folder, as the reader has it."""
    tree = {"plan_name": name, "parallelization_level": "level_3", "achievements": list(entries), **more}
    file = folder / "parallel.json"
    file.write_text(json.dumps(tree))
    found = outline(file, file.read_bytes())
    assert found is not None
    return found
