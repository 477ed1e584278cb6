"""When a run is over, and how (R11, R12). Asked after every event; changes nothing."""

from __future__ import annotations

from stretto.core.breaker import agents_of, barred
from stretto.core.commands import EndRun
from stretto.core.state import State
from stretto.model.run import FINAL_STATES


def ending(state: State) -> EndRun | None:
    """How the run ends now; None while anything is in flight or may still start."""
    if any(lane.batch is not None for lane in state.lanes.values()):
        return None
    drain = state.drain
    in_flight = state.active
    if drain is not None and drain.now:
        in_flight -= state.counts.get("gating", 0)  # their work is saved; they are judged again at the resume
    if in_flight:
        return None
    if all(not count or name in FINAL_STATES for name, count in state.counts.items()):
        return _over(state)
    if drain is not None:
        if not drain.hurries and any(lane.queue for lane in state.lanes.values()):
            return None
        statuses = _failed(state) if drain.outcome == "failed" else {}
        return EndRun(outcome=drain.outcome, reason=drain.reason, until=drain.until, statuses=statuses)
    if state.timers:
        return None
    waiting = [record for record in state.tasks if record.state == "waiting"]
    persons = [repr(record.id) for record in waiting if record.wait == "person"]
    if persons and len(persons) == len(waiting) and state.settings.on_approval == "wait":
        return None
    reasons = [state.out[agent] for agent in state.out if _wanted(state, agent)]
    if persons and len(persons) == len(waiting):
        reasons.append(f"waits for approval of {', '.join(persons[:5])}{', …' if len(persons) > 5 else ''}")
    if reasons:
        return EndRun(outcome="paused", reason="; ".join(reasons))
    stuck = [record.id for record in state.tasks if record.state not in FINAL_STATES]
    return EndRun(outcome="stuck", reason=f"nothing can go on, which is a bug: {', '.join(stuck[:10])}")


def _wanted(state: State, agent: str) -> bool:
    """Whether a task that could start has nobody but agents that are out, this one among them."""
    ready = (record for record in state.tasks if record.state == "ready")
    return any(agent in agents_of(state, record) and barred(state, record) for record in ready)


def _over(state: State) -> EndRun:
    """Every task is final. A failed optional one leaves the run a success (R11)."""
    short = [record for record in state.tasks if record.state != "succeeded" and not record.task.optional]
    short = [record for record in short if record.id not in state.gone]
    if not short:
        return EndRun(outcome="succeeded", statuses=_failed(state))
    counts = {name: sum(record.state == name for record in short) for name in ("failed", "skipped", "cancelled")}
    reason = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return EndRun(outcome="failed", reason=reason, statuses=_failed(state))


def _failed(state: State) -> dict[str, str]:
    """What the closing commit writes into the plan's status (R6.4)."""
    return {record.id: "failed" for record in state.tasks if record.state == "failed" and not record.task.added_by}
