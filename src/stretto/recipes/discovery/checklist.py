"""The sixteen points that tell whether tasks can be worked on at the same time, as data."""

from __future__ import annotations

from typing import Final

from stretto.model.plan import Value


class Point(Value, frozen=True, kw_only=True):
    """One statement about the tasks that would run at the same time. It holds, or it does not."""

    id: str
    group: str
    text: str


_GROUPS: Final = {
    "technical independence": {
        "state": "None of them reads or changes state that another one changes: tables, caches, settings, globals.",
        "files": "No two of them write the same file.",
        "races": "What comes of them is the same, whichever is done first.",
        "resources": "None needs a service, port, account, quota or device that another one holds or uses up.",
    },
    "testing independence": {
        "interference": "The tests of one say the same whether the others are done, half done or not begun.",
        "fixtures": "They share no fixture or test data that one of them changes.",
        "test_order": "Their tests need no particular order.",
        "environments": "Each can be tested in a place of its own: database, port, folder.",
    },
    "mergeability": {
        "conflicts": "Their changes merge without a conflict, in any order.",
        "sections": "Where they touch one list (a registry, an index, a changelog), each adds a part of its own.",
        "refactoring": "None renames, moves or reshapes what another one builds on.",
        "strategy": "It is clear how each is checked before it is merged, and all of them together after it.",
    },
    "clear dependencies": {
        "cycles": "No dependency leads back to where it began.",
        "chain": "They are no single chain: at some moment two or more can be worked on.",
        "explicit": "Every dependency that the document names is in the plan.",
        "implicit": "So is every one that it does not name: what uses, tests or describes a thing comes after it.",
    },
}
POINTS: Final = tuple(
    Point(id=id, group=group, text=text) for group, points in _GROUPS.items() for id, text in points.items()
)
"""In the order in which they are asked."""
