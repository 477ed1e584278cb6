"""The door to every recipe: what lies in a folder decides which of them makes a plan of it."""

from __future__ import annotations

from pathlib import Path

from stretto.recipes import page_specs
from stretto.recipes.recipe import Made, Recipe

RECIPES: tuple[Recipe, ...] = (page_specs.RECIPE,)
"""Asked in this order: the first that recognises a folder reads it."""


def read_folder(folder: Path) -> Made | None:
    """The plan that a folder stands for; None where no recipe knows it. Raises PlanError."""
    for recipe in RECIPES:
        if recipe.recognises(folder):
            return recipe.read(folder)
    return None
