"""The text of a paper, from the template, by what there is in the folder."""

from __future__ import annotations

from pathlib import Path

from stretto.recipes.subplans.asking import asking
from stretto.recipes.subplans.batch import Item, Note, execution_paths
from stretto.recipes.subplans.folder import text_of
from stretto.recipes.subplans.placeholder import is_placeholder
from stretto.recipes.subplans.progress import Progress
from stretto.recipes.subplans.template import execution_text, subplan_text


def filled(home: Path, progress: Progress, item: Item, *, today: str) -> str | Note:
    """The whole paper; a note where nothing could be said in it."""
    one = progress.by_id[item.id]
    if item.kind == "subplans":
        text = subplan_text(progress, one, executions=execution_paths(progress, one), today=today)
    else:
        found = one.subplan
        words = text_of(home / found.path) if found else ""
        if found is None or is_placeholder(words):
            return Note(id=item.id, message="its SUBPLAN says nothing yet", path=item.path)
        text = execution_text(progress, one, item.number, subplan=words, path=found.path, today=today)
    if not says_something(progress, item) or is_placeholder(text):
        why = asking(home, progress.plan, one.achievement, text)
        why = why or "the plan says nothing of it that a paper could be filled with"
        return Note(id=item.id, message=why, path=item.path)
    return text


def says_something(progress: Progress, item: Item) -> bool:
    """Whether there is more than an id to write about."""
    achievement = progress.by_id[item.id].achievement
    return bool(achievement.title or achievement.section or achievement.more or achievement.parts)


def is_thin(progress: Progress, item: Item) -> bool:
    """Whether a title is all that is known."""
    achievement = progress.by_id[item.id].achievement
    return not (achievement.section or achievement.more or any(part.told for part in achievement.parts))
