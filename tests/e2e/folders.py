"""Folders of achievements for tests of the whole way: one made by hand, and a real one where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.toy import Toy
from unit.formats.corpus import CORPUS

HOME = "work-space/plans/SHOP"
REAL = CORPUS / "003-parallel-json" / "parallel-execution-automation"
SHOP = {
    f"{HOME}/parallel.json": json.dumps(
        {
            "plan_name": "SHOP",
            "parallelization_level": "level_3",
            "achievements": [
                {"achievement_id": "1.1", "title": "Seeds", "dependencies": [], "estimated_hours": "2-4"},
                {"achievement_id": "1.2", "title": "Tools", "dependencies": [], "estimated_hours": 1},
                {"achievement_id": "2.1", "title": "Basket", "dependencies": ["1.1", "1.2"]},
            ],
        },
        indent=2,
    ),
    f"{HOME}/PLAN_SHOP.md": """# PLAN: Shop

## Goal

Sell seeds and tools.

### Achievement 1.1: Seeds

- **Goal**: Know every seed
- **Deliverables**:
  1. `seeds.csv`
- **Success Criteria**:
  - No seed is there twice

### Achievement 1.2: Tools

- **Goal**: Know every tool

### Achievement 2.1: Basket

- **Goal**: A basket for both
""",
}
WORKER = "shell: echo $STRETTO_TASK >> done-$STRETTO_TASK"
"""Does what a task asks for."""
WRITER = """shell: f=$(sed -n 's/^## Your task: Write \\(.*\\)$/\\1/p; s/^## Your task: Fill \\(.*\\), which.*$/\\1/p' \
"$STRETTO_PROMPT_FILE" | head -1); printf '# %s\\n\\nWords by an agent.\\n' "$STRETTO_TASK" > "$f" """.strip()
"""Writes the paper that it is asked for."""


def real(root: Path) -> tuple[Toy, str]:
    """The real plan from nothing: its file and its plan in words."""
    if not REAL.is_dir():
        pytest.skip("the corpus of real plans is not here (PLAN_CORPUS)")
    name = "PARALLEL-EXECUTION-AUTOMATION"
    home = f"work-space/plans/{name}"
    files = {f"{home}/{file}": (REAL / file).read_text() for file in ("parallel.json", f"PLAN_{name}.md")}
    return Toy(root, files), home


def papers(toy: Toy, home: str) -> dict[str, str]:
    """Everything in the folder, by its path in it."""
    folder = toy.repository / home
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def statuses(toy: Toy, home: str) -> dict[str, str]:
    told = json.loads(toy.stretto("scaffold", "status", home, "--json").stdout)
    found: dict[str, str] = told["statuses"]
    return found
