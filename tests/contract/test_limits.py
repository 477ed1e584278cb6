"""What every limiter keeps (the port Limits, R9.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from stretto.limits.memory import OpenLimits
from stretto.model.plan import Task
from stretto.ports import Limits

A, B = (Task(id=name, phase="p") for name in "ab")

LIMITERS: tuple[Callable[[], Limits], ...] = (OpenLimits,)
"""Each with room for two attempts at least."""


@pytest.fixture(params=LIMITERS)
def limits(request: pytest.FixtureRequest) -> Limits:
    made: Limits = request.param()
    return made


async def granted(limits: Limits, task: Task, attempt: int = 1) -> bool:
    return await limits.request(run="run", task=task, attempt=attempt) is None


def test_r9_1_a_grant_is_given_back_and_given_again(limits: Limits) -> None:
    async def scenario() -> None:
        for attempt in range(1, 6):
            assert await granted(limits, A, attempt)
            assert await granted(limits, B, attempt)
            await limits.release(run="run", task="a", attempt=attempt)
            await limits.release(run="run", task="b", attempt=attempt)

    asyncio.run(scenario())


def test_r9_3_asking_for_what_one_holds_is_granted(limits: Limits) -> None:
    async def scenario() -> None:
        assert await granted(limits, A)
        assert await granted(limits, A)
        await limits.release(run="run", task="a", attempt=1)

    asyncio.run(scenario())


def test_r8_1_a_release_that_is_repeated_after_a_crash_does_no_harm(limits: Limits) -> None:
    async def scenario() -> None:
        assert await granted(limits, A)
        for _ in range(2):
            await limits.release(run="run", task="a", attempt=1)
        assert await granted(limits, A, 2)

    asyncio.run(scenario())
