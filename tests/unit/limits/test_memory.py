"""The books of the limiter that grants everything."""

from __future__ import annotations

import asyncio

from stretto.limits.memory import OpenLimits
from stretto.model.plan import Task


def test_the_books_say_who_holds_what_and_who_gave_back_too_much() -> None:
    limits = OpenLimits()

    async def scenario() -> None:
        for n in (1, 2, 2):
            await limits.request(run="r", task=Task(id="a", phase="p"), attempt=n)
        await limits.release(run="r", task="a", attempt=1)
        await limits.release(run="other", task="a", attempt=2)

    asyncio.run(scenario())
    assert limits.held == (("r", "a", 2),)
    assert limits.stray == (("other", "a", 2),)
