"""What a person names as a plan: a file that a reader knows, or a folder that a recipe makes a plan of."""

from __future__ import annotations

from pathlib import Path

from stretto.cli.named import is_folder
from stretto.formats.load import Loaded, load, plan_in
from stretto.recipes.load import keeper_of, read_folder, recipe_of


def file_of(plan: str) -> str:
    """The file that stands for a folder which is one plan; else what was named."""
    folder = Path(plan)
    inside = plan_in(folder) if is_folder(folder) and recipe_of(folder) is None else None
    return plan if inside is None else str(inside)


def open_plan(plan: str) -> Loaded:
    """The plan, where its parts stand, and what reading it found. Raises PlanError."""
    made = read_folder(Path(plan)) if is_folder(plan) else None
    if made is None:
        return load(plan)  # which says of a folder which plans it holds
    keeper = keeper_of(made.plan.format)
    return Loaded(plan=made.plan, places=made.places, findings=made.findings, keeper=keeper, data=b"")


def own_folder(plan: str) -> Path:
    """The folder that the plan's own paths count from: the one it lies in, or the one it is."""
    path = Path(plan)
    return path if is_folder(path) else path.parent
