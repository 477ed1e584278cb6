"""How long a task will take, by what attempts of earlier runs took (R10.1).

They are told apart by who did them and by size. Who: an agent's name together with how it is run, so that two shell
commands of one name teach each other nothing. Size: what can be seen of a task before it starts, the length of its
prompt and the number of paths it claims; the larger of the two classes counts, and unknown scope claims no path.

    small    a prompt of at most 400 characters, and at most 1 path
    medium   at most 4,000 characters, and at most 5 paths
    large    anything else
"""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from stretto.model.agent import AgentSpec
from stretto.model.plan import Task, Value

Size = Literal["small", "medium", "large"]
SIZES: tuple[Size, ...] = ("small", "medium", "large")
CHARACTERS, PATHS = (400, 4_000), (1, 5)
"""The most that a small task has, and the most that a medium one has."""
ENOUGH = 3
"""So many attempts, at least, are heeded: one may have been a lucky day, and two have no middle."""


class Shown(Value, frozen=True, kw_only=True):
    """One attempt that landed: who did it (`identity`), how large its task was, and how long it worked."""

    who: str
    size: Size
    took_s: float


def identity(agent: str, spec: AgentSpec) -> str:
    """The same text for the same name run in the same way, and for nothing else."""
    return f"{agent} {msgspec.json.encode(spec, order='deterministic').decode()}"


def size_of(task: Task) -> Size:
    """The class of a task whose prompt has been read."""
    return SIZES[max(bisect_left(CHARACTERS, len(task.prompt)), bisect_left(PATHS, len(task.writes or ())))]


def learned(
    tasks: Iterable[Task], shown: Iterable[Shown], *, agents: Mapping[str, AgentSpec], default: str
) -> dict[str, float]:
    """Task id to expected seconds, for the tasks that nobody estimated and of whose agent enough has been seen.

    It is the median of that agent's attempts at tasks of the same size, or where they are too few of all its attempts.
    `agents` says how each is run, `default` does the tasks that name nobody; of several names the first is asked."""
    took_s: dict[tuple[str, Size | None], list[float]] = defaultdict(list)
    for one in shown:
        took_s[one.who, one.size].append(one.took_s)
        took_s[one.who, None].append(one.took_s)
    medians = {group: round(statistics.median(all_s), 3) for group, all_s in took_s.items() if len(all_s) >= ENOUGH}
    found = {}
    for task in tasks:
        name = task.agent[0] if task.agent else default
        if task.estimate_s is None and (spec := agents.get(name)) is not None:
            who = identity(name, spec)
            median_s = medians.get((who, size_of(task)), medians.get((who, None)))
            if median_s is not None:
                found[task.id] = median_s
    return found
