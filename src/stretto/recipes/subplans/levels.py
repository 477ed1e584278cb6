"""How deep achievements stand: 0 without dependencies, else one more than the deepest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stretto.model.achievements import Achievement
from stretto.model.plan import Value


class Levels(Value, frozen=True, kw_only=True):
    of: Mapping[str, int]
    """Without those on a circle, and those that wait for one."""
    circle: tuple[str, ...] = ()
    """Ids that wait for each other, the first of them also at the end; empty where there is none."""


def levels(achievements: Sequence[Achievement]) -> Levels:
    """What is not in the plan counts as level -1: it deepens nothing."""
    known = {one.id for one in achievements}
    needs = {one.id: [id for id in one.needs if id in known] for one in achievements}
    waiting: dict[str, list[str]] = {id: [] for id in needs}
    for id, own in needs.items():
        for need in own:
            waiting[need].append(id)
    left = {id: len(own) for id, own in needs.items()}
    front = [id for id in needs if not left[id]]
    of = dict.fromkeys(front, 0)
    while front:
        id = front.pop()
        for later in waiting[id]:
            left[later] -= 1
            if not left[later]:
                of[later] = 1 + max(of[need] for need in needs[later])
                front.append(later)
    stuck = [id for id in needs if id not in of]
    return Levels(of=of, circle=_circle(stuck[0], needs, of) if stuck else ())


def _circle(start: str, needs: Mapping[str, Sequence[str]], of: Mapping[str, int]) -> tuple[str, ...]:
    """From an id that is on a circle or behind one, back until one comes again."""
    path: dict[str, int] = {}
    id = start
    while id not in path:
        path[id] = len(path)
        id = next(need for need in needs[id] if need not in of)
    return (*list(path)[path[id] :], id)
