"""Page specs: an app folder becomes a plan that writes one specification a page, after a master that all build on."""

from stretto.recipes.page_specs.folder import is_app
from stretto.recipes.page_specs.plan import read
from stretto.recipes.page_specs.state import keeper
from stretto.recipes.recipe import Recipe

RECIPE = Recipe(
    name="page-specs",
    about="an app folder whose pages get a specification each",
    recognises=is_app,
    read=read,
    keeper=keeper,
)
