"""The door to every recipe: what lies in a folder decides which of them makes a plan of it."""

from __future__ import annotations

from pathlib import Path

from stretto.ports import StatusKeeper
from stretto.recipes import page_specs
from stretto.recipes.recipe import Made, Recipe

RECIPES: tuple[Recipe, ...] = (page_specs.RECIPE,)
"""Asked in this order: the first that recognises a folder reads it."""


def recipe_of(folder: Path) -> Recipe | None:
    """The recipe that makes a plan of a folder; None where none knows it."""
    return next((recipe for recipe in RECIPES if recipe.recognises(folder)), None)


def read_folder(folder: Path) -> Made | None:
    """The plan that a folder stands for; None where no recipe knows it. Raises PlanError."""
    recipe = recipe_of(folder)
    return None if recipe is None else recipe.read(folder)


def keeper_of(name: str) -> StatusKeeper | None:
    """What writes the statuses of plans that this recipe makes; None where there is nothing to write."""
    return next((recipe.keeper for recipe in RECIPES if recipe.name == name), None)
