"""Giving a run up, and taking that back, while no engine runs it (R6.4). The caller owns the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stretto.core.events import Event, Noticed, RunAbandoned, RunReclaimed
from stretto.core.recovery import declare_lost, lost_attempts, replay
from stretto.core.state import State
from stretto.errors import StateError
from stretto.model.papers import PAPERS
from stretto.model.plan import Value
from stretto.ports import Journal, Workspaces


class Abandoned(Value, frozen=True, kw_only=True):
    """What was brought to safety: {(task, attempt): commit}, and the workspaces that could not be, each with why."""

    saved: Mapping[tuple[str, int], str]
    unsaved: Sequence[str] = ()


def refuse_abandoned(state: State) -> None:
    """Raises StateError: nobody goes on with an abandoned run, or brings its landings anywhere."""
    refuse_taken_back(state)
    if state.abandoned:
        raise StateError(f"{state.run} has been abandoned", hint=f"stretto abandon {state.run} --undo")


def refuse_taken_back(state: State) -> None:
    """Raises StateError for a batch of papers that is over: papers that it counts as written are gone."""
    if state.abandoned and state.plan.format == PAPERS and state.ended in ("succeeded", "failed"):
        raise StateError(
            f"{state.run} has been abandoned: papers that it wrote were taken back",
            hint="write them anew: the same `stretto scaffold …` again",
        )


async def abandon(journal: Journal, workspaces: Workspaces, *, at: float, by: str) -> Abandoned:
    """Save what its workspaces hold, then make it durable that the run is over for good. Nothing is left running."""
    saved = await workspaces.rescue()
    state = replay(recorded.event for recorded in journal.read()).state
    # First the word that nothing goes on: else each lost attempt would be followed by a new start.
    events: list[Event] = [RunAbandoned(at=at, by=by)]
    events += [declare_lost(record, at, saved.get((record.id, record.attempt))) for record in lost_attempts(state)]
    events += [Noticed(at=at, code="unsaved", message=said) for said in workspaces.unsaved]
    await journal.append(events)
    return Abandoned(saved=saved, unsaved=workspaces.unsaved)


async def reclaim(journal: Journal, *, at: float, by: str) -> None:
    """The run may be resumed again."""
    await journal.append([RunReclaimed(at=at, by=by)])
