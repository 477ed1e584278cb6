"""A change of the user's own tree while attempts are at work is told: whose, where, and what to do (R7.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from stretto.core.events import Event, Noticed
from stretto.engine.usertree import UserTree

SAME = dict.fromkeys(("HEAD", "status", "refs", "stash", "config", "hooks", "info/exclude"), "1")


class _Looks:
    def __init__(self, *seen: Mapping[str, str]) -> None:
        self._seen = list(seen)

    async def look(self) -> Mapping[str, str]:
        return self._seen.pop(0)


class _Noon:
    def now(self) -> float:
        return 12.0


def told(*seen: Mapping[str, str]) -> list[Event]:
    """What is reported when one attempt ends between two looks."""
    reported: list[Event] = []
    tree = UserTree(cast(Any, _Looks(*seen)), cast(Any, _Noon()), reported.append)

    async def work() -> None:
        await tree.first_look()
        tree.begun("a", 1)
        await tree.ended("a", 1)

    asyncio.run(work())
    return reported


@pytest.mark.parametrize(
    ("aspects", "words"),
    [
        (("status",), ("files of your own work tree changed", "`git status` shows them")),
        (("HEAD", "stash"), ("the checked-out commit and the stash of your own repository changed", "`git log --all`")),
        (("hooks",), ("the hooks of your own repository changed",)),
        (("info/exclude",), ("`.git/info/exclude` of your own repository changed",)),
    ],
)
def test_r7_4_what_changed_of_the_users_own_tree_is_told_with_what_to_do(
    aspects: tuple[str, ...], words: tuple[str, ...]
) -> None:
    (notice,) = told(SAME, SAME | dict.fromkeys(aspects, "2"))
    assert isinstance(notice, Noticed) and (notice.code, notice.tasks) == ("user-tree", ("a",))
    assert all(word in notice.message for word in words)
    assert "while attempts were at work" in notice.message and "if you did not do it" in notice.message


def test_r7_4_nothing_is_told_where_nothing_changed() -> None:
    assert told(SAME, SAME) == []
