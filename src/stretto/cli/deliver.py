"""What `stretto land` and `run --land` do: the run's branch into the user's, gated again where it had moved (R6.3)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

from stretto.core.events import DELIVERED, Event, Noticed
from stretto.core.recovery import replay
from stretto.core.state import State
from stretto.engine.abandonment import refuse_abandoned
from stretto.engine.home import RunHome
from stretto.engine.journal import SqliteJournal
from stretto.engine.lock import RunLock
from stretto.engine.reader import SqliteReader
from stretto.engine.supervise import ProcessSupervisor
from stretto.errors import Paused, StateError
from stretto.formats.load import keeper_of, plan_files_by_now
from stretto.model.plan import Value
from stretto.model.run import Remark
from stretto.wiring import Repository, checks, repository_of, workspaces
from stretto.workspace.deliver import Delivery, finish_delivery, prepare_delivery, push
from stretto.workspace.ticks import Ticks


class Delivered(Value, frozen=True, kw_only=True):
    """How it went. With `remarks` a gate was red on the merged tree, and nothing has moved."""

    branch: str
    onto: str | None
    """The user's branch; None for a detached HEAD."""
    commit: str
    moved: bool
    merged: bool
    """The user's branch had moved meanwhile, so both were merged and gated again."""
    remarks: tuple[Remark, ...] = ()


async def deliver(home: RunHome, environ: Mapping[str, str], *, push_to: str | None = None) -> Delivered:
    """Bring what has landed to the user's branch. Raises Paused, with nothing moved, where a person has to act first.

    Holds the run meanwhile: no engine may land on the branch while it is being judged."""
    with RunLock(home.lock):
        launch = home.launch()
        events = [recorded.event for recorded in SqliteReader(home).events()]
        state = replay(events).state
        refuse_abandoned(state)
        users = await repository_of(home, environ)
        if await users.git.resolve(f"refs/heads/{launch.branch}"):
            await _close(home, state, environ)
        folder = home.repository.worktrees
        ticks = _ticks(home, state, await _brought(users, events, state))
        delivery = await prepare_delivery(
            users,
            run=home.run,
            branch=launch.branch,
            onto=launch.user_branch,
            folder=folder,
            known=state.lane.head,
            ticks=ticks,
        )
        if delivery.unproven and (remarks := await _gate_again(home, state, delivery, environ)):
            return _told(delivery, moved=False, remarks=remarks)
        await finish_delivery(users, delivery, folder=folder, ticks=ticks)
        await _note(home, delivery)
        if push_to is not None:
            if delivery.onto is None:
                there = f"HEAD:refs/heads/{delivery.branch}"
                raise Paused(
                    "HEAD is detached, so there is no branch to push", hint=f"git push {quote(push_to)} {quote(there)}"
                )
            await push(users, push_to, delivery.onto)
        return _told(delivery, moved=delivery.moves)


async def _brought(users: Repository, events: Sequence[Event], state: State) -> State | None:
    """The run as it was when it was last delivered; None where the user's branch has nothing of it, or no longer."""
    told = [i for i, event in enumerate(events) if isinstance(event, Noticed) and event.code == DELIVERED]
    if not told:
        return None
    for commit in (state.delivered, state.lane.head):
        if await users.git.resolve(commit) and await users.git.is_ancestor(commit, "HEAD"):
            return replay(events[: told[-1]]).state
    return None


def _ticks(home: RunHome, state: State, brought: State | None) -> Ticks | None:
    """What has become of tasks since the run was brought to the user before; None where the format has no statuses."""
    launch = home.launch()
    if (keeper := keeper_of(launch.plan_format)) is None:
        return None
    plan = tuple(Path(path) for path in plan_files_by_now(launch.plan_path, state.plan))
    before = {} if brought is None else _outcomes(brought)
    statuses = {task: now[0] for task, now in _outcomes(state).items() if before.get(task) != now}
    return Ticks(plan=plan, keeper=keeper, statuses=statuses)


def _outcomes(state: State) -> dict[str, tuple[str, int, bool]]:
    """Of each task that has ended: how, by which attempt, and whether a failure is in the run's closing commit."""
    closed = state.ended in ("succeeded", "failed")
    return {
        record.id: (record.state, record.attempt, closed and record.state == "failed")
        for record in state.tasks
        if record.state in ("succeeded", "failed")
    }


async def _close(home: RunHome, state: State, environ: Mapping[str, str]) -> None:
    """Failures that an engine which was killed at the very end did not write into the plan's status (R6.4)."""
    failed = {record.id: "failed" for record in state.tasks if record.state == "failed"}
    if failed and state.ended in ("succeeded", "failed") and not state.closed:
        places = await workspaces(home, home.launch(), state.plan, state.settings, environ, ProcessSupervisor())
        await places.write_statuses(state.lane.name, failed)


async def _note(home: RunHome, delivery: Delivery) -> None:
    """The run remembers that its landings have arrived."""
    journal = SqliteJournal(home.journal)
    try:
        await journal.append([Noticed(at=time.time(), code=DELIVERED, message=delivery.commit)])
    finally:
        journal.close()


async def _gate_again(
    home: RunHome, state: State, delivery: Delivery, environ: Mapping[str, str]
) -> tuple[Remark, ...]:
    """The plan's gates, and those of every task that landed, on what nobody has judged yet."""
    launch, processes = home.launch(), ProcessSupervisor()
    places = await workspaces(home, launch, state.plan, state.settings, environ, processes)
    gates = checks(home, launch, state.plan, state.settings, environ, places, processes)
    landed = [(record.task, record.attempt) for record in state.tasks if record.landed is not None]
    verdict = await gates.of_merge(landed, delivery.commit, tip_moved=True)
    if verdict.error:
        raise StateError("the gates could not be run: " + "; ".join(remark.message for remark in verdict.remarks))
    return () if verdict.color == "green" else verdict.remarks


def _told(delivery: Delivery, *, moved: bool, remarks: tuple[Remark, ...] = ()) -> Delivered:
    return Delivered(
        branch=delivery.branch,
        onto=delivery.onto,
        commit=delivery.commit,
        moved=moved,
        merged=delivery.merges,
        remarks=remarks,
    )
