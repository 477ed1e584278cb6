"""What the agent of a task would be told in its first attempt, were the plan run now."""

from __future__ import annotations

from msgspec.structs import replace

from stretto import wiring
from stretto.analysis.graph import build
from stretto.cli.begin import Ready, Wanted, prepare
from stretto.cli.opening import own_folder
from stretto.cli.texts import read_texts
from stretto.core.breaker import default_agents
from stretto.core.commands import StartAttempt
from stretto.core.events import RunStarted
from stretto.core.handoff import handoffs
from stretto.core.start import first_state
from stretto.engine.prompt import Prompt, Prompts, folder_of
from stretto.model.plan import Plan


def first_prompt(wanted: Wanted, task: str) -> Prompt:
    """That prompt, byte for byte, for a run from the same commit.

    Tasks that it waits for count as the plan has them now: what they will have left is not known yet. Raises what
    `run` would, but for runs in the way, and ConfigError for an unknown task."""
    ready = prepare(replace(wanted, task=task))
    ids = [one.id for one in ready.plan.tasks]
    # A task that is done has not been read; what it was told is asked for all the same.
    plan, context = read_texts(ready.plan, own_folder(wanted.plan).absolute(), set(ready.done) - {task})
    start = _first_start(ready, plan, ids.index(task))
    plan_folder = ready.path if ready.path.is_dir() else ready.path.parent
    prompts = Prompts(plan, context, template=ready.template, folder=folder_of(plan_folder, ready.ground.root))
    reads = next((wiring.agent_class(ready.settings.agents[name]).reads_story for name in start.agents), True)
    return prompts.compose(start, reads=reads)


def _first_start(ready: Ready, plan: Plan, index: int) -> StartAttempt:
    """The command that would start it, as the core would give it."""
    settings = ready.settings.run
    started = RunStarted(
        at=0.0, run="", plan=plan, settings=settings, base=ready.ground.base, branch="", done=ready.done
    )
    graph = build(plan)
    state = first_state(started, graph)
    task = plan.tasks[index]
    told, more = handoffs(graph, state.tasks, index)
    return StartAttempt(
        task=task.id,
        attempt=1,
        lane=state.lane.name,
        base=ready.ground.base,
        handoffs=told,
        more_handoffs=more,
        timeout_s=task.timeout_s or settings.timeout_s,
        idle_s=settings.idle_s,
        agents=task.agent or default_agents(settings),
    )
