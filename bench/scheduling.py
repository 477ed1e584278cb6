"""How long a run takes against how long it must take: the real core, in virtual time."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from measure import Row

from stretto.core import commands as cmd
from stretto.core import events as ev
from stretto.core.coordinator import Coordinator
from stretto.model.plan import Check, Phase, Plan, Task
from stretto.model.run import RunSettings


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Tasks by number: what each depends on (lower numbers), how long it works, which files it writes."""

    needs: list[list[int]]
    works_s: list[float]
    files: list[list[int]]
    guess_s: list[float]
    """What the plan says that it takes."""
    gate_s: float = 0.0
    landing_s: float = 0.0


def layered(seed: int, tasks: int, width: int, fan: int) -> Problem:
    """Layers of random width; a task needs one to `fan` others, mostly of the layer before; lognormal durations."""
    random_ = random.Random(seed)
    layers: list[list[int]] = []
    needs: list[list[int]] = []
    while len(needs) < tasks:
        count = min(random_.randint(max(1, width // 4), width), tasks - len(needs))
        layer = list(range(len(needs), len(needs) + count))
        for _ in layer:
            among = [
                random_.choice(layers[-1] if random_.random() < 0.7 else random_.choice(layers))
                for _ in range(random_.randint(1, fan) if layers else 0)
            ]
            needs.append(sorted(set(among)))
        layers.append(layer)
    works = [600 * random_.lognormvariate(0, 1) for _ in range(tasks)]
    return Problem(needs=needs, works_s=works, files=[[] for _ in range(tasks)], guess_s=works)


def conflicting(seed: int, files: int, zipf: float) -> Problem:
    """A hundred tasks that write one to three files each, some files much liked; gates and landings take time."""
    random_ = random.Random(seed)
    weights = [1 / (k + 1) ** zipf for k in range(files)]
    plain = layered(seed, 100, 20, 2)
    writes = [random_.choices(range(files), weights, k=random_.randint(1, 3)) for _ in plain.works_s]
    return replace(plain, files=[sorted(set(some)) for some in writes], gate_s=60.0, landing_s=5.0)


# --- a run, and the least that any run must take -------------------------------------------------------------------


def makespan(problem: Problem, places: int) -> float:
    """Seconds of a run of the real core in which everything succeeds."""
    checks = (Check(command="true"),) if problem.gate_s else ()
    plan = Plan(
        name="bench",
        format="stretto",
        phases=(Phase(id="p"),),
        tasks=tuple(
            Task(
                id=f"t{i}",
                phase="p",
                depends_on=tuple(f"t{j}" for j in needs),
                writes=tuple(f"f{file}" for file in problem.files[i]),
                verify=checks,
                estimate_s=problem.guess_s[i],
            )
            for i, needs in enumerate(problem.needs)
        ),
    )
    started = ev.RunStarted(
        at=0.0, run="r", plan=plan, settings=RunSettings(parallel=places), base="base", branch="b"
    )  # fmt: skip
    core = Coordinator()
    coming: list[tuple[float, int, ev.Event]] = [(0.0, 0, started)]
    count = 0
    while coming:
        at, _, event = heapq.heappop(coming)
        for command in core.handle(event):
            if (answer := _answer(command, at, problem)) is not None:
                count += 1
                heapq.heappush(coming, (answer.at, count, answer))
    assert core.state.ended == "succeeded"
    return core.state.at


def _answer(command: cmd.Command, at: float, problem: Problem) -> ev.Event | None:
    match command:
        case cmd.RequestGrant():
            return ev.Granted(at=at, task=command.task, attempt=command.attempt)
        case cmd.StartAttempt():
            took = problem.works_s[int(command.task[1:])]
            return ev.AttemptFinished(at=at + took, task=command.task, attempt=1, commit="c")
        case cmd.RunGates():
            return ev.AttemptGated(at=at + problem.gate_s, task=command.task, attempt=1, verdict="green")
        case cmd.LandBatch():
            return ev.BatchLanded(
                at=at + problem.landing_s, lane=command.lane, batch=command.batch, landed=command.entries, commit="c"
            )
        case _:
            return None


def bound(problem: Problem, places: int) -> float:
    """No run is shorter. A task holds a place while it works and is judged, its files until it has landed.

    Whatever can begin at the earliest at h, and has at least t behind it, needs h + its work / places + t."""
    held = [seconds + problem.gate_s for seconds in problem.works_s]
    whole = [seconds + problem.landing_s for seconds in held]
    head = [0.0] * len(held)
    tail = [problem.landing_s] * len(held)
    for i, needs in enumerate(problem.needs):
        head[i] = max((head[j] + whole[j] for j in needs), default=0.0)
    for i in reversed(range(len(held))):
        for j in problem.needs[i]:
            tail[j] = max(tail[j], problem.landing_s + held[i] + tail[i])
    wanted: dict[int, float] = defaultdict(float)
    for i, files in enumerate(problem.files):
        for file in files:
            wanted[file] += whole[i]
    least = max(max(h + w + t for h, w, t in zip(head, held, tail, strict=True)), *wanted.values(), 0.0)
    least = max(least, min(held) + problem.landing_s * len(held))
    for after in sorted(set(tail)):
        work = 0.0
        for begin, seconds in sorted(((head[i], held[i]) for i in range(len(held)) if tail[i] >= after), reverse=True):
            work += seconds
            least = max(least, begin + work / places + after)
    return least


def by_levels(problem: Problem, places: int) -> float:
    """A run with a barrier behind each level; within one, tasks begin in plan order."""
    level: list[int] = []
    for needs in problem.needs:
        level.append(1 + max((level[j] for j in needs), default=-1))
    total = 0.0
    for now in range(max(level) + 1):
        free = [0.0] * places
        for seconds in (s for s, its in zip(problem.works_s, level, strict=True) if its == now):
            heapq.heappush(free, heapq.heappop(free) + seconds)
        total += max(free)
    return total


# --- rows ----------------------------------------------------------------------------------------------------------


def guessed(problem: Problem, seed: int) -> Problem:
    """The same, with estimates that are often off by half or by double."""
    random_ = random.Random(seed)
    return replace(problem, guess_s=[seconds * random_.lognormvariate(0, 0.8) for seconds in problem.works_s])


def row(
    what: str, shape: str, problems: Sequence[Problem], places: int, other: Callable[[Problem, int], float], most: float
) -> Row:
    taken = [[way(problem, places) for problem in problems] for way in (makespan, other)]
    shape = f"{shape}; {len(problems)} seeds"
    return Row.of(what, shape, *taken, unit="min", scale=1 / 60, jobs=places, most=most)


def rows(*, quick: bool) -> list[Row]:
    seeds = 2 if quick else 60
    found = []
    for places, width in ((5, 10), (5, 20), (10, 20), (10, 40)):
        problems = [layered(seed * 1000 + width, 200, width, 3) for seed in range(seeds)]
        rough = [guessed(problem, seed) for seed, problem in enumerate(problems)]
        shape = f"200 tasks, up to {width} wide"
        found.append(row("makespan / lower bound", shape, problems, places, bound, 1.03))
        found.append(row("makespan / lower bound", f"{shape}, rough estimates", rough, places, bound, 1.03))
        found.append(row("makespan / level barriers", shape, problems, places, by_levels, 1 / 1.4))
    for places in (5, 10):
        for files, zipf in ((1000, 0.6), (200, 0.8), (100, 1.1)):
            problems = [conflicting(seed, files, zipf) for seed in range(seeds)]
            shape = f"100 tasks on {files} files, gates, landings"
            found.append(row("makespan / lower bound, conflicts", shape, problems, places, bound, 1.2))
    return found
