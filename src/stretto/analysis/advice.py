"""Changes of a plan that would save time, each with what it saves, by estimating the changed plan (`show --suggest`).

Half of the dependencies without a visible reason are real: this is advice for a person, and nothing follows it unasked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec.structs import replace

from stretto.analysis.changes import changed
from stretto.analysis.conflicts import meetings
from stretto.analysis.estimate import durations, schedule
from stretto.analysis.graph import build, topological
from stretto.analysis.ideas import Idea, Proposal, claims, contracts, halvings, savings
from stretto.analysis.sight import Named, Sight
from stretto.model.change import Change
from stretto.model.plan import Plan, Value

MOST = 1_000
"""Plans of more tasks, which programs write, get no advice."""
_LOOKS, _LEAST = 30_000, 40
"""So many tasks are estimated anew in all, whatever the size of the plan; and so many plans at least."""
_WORTH = 0.01
"""What saves a smaller part of the whole time is not worth a person's."""
_SHOWN = 12

Kind = Literal["dependency", "claim", "split", "contract"]


class Suggestion(Value, frozen=True, kw_only=True):
    """One change, or a few that only make sense together."""

    kind: Kind
    reason: str
    """One sentence."""
    tasks: tuple[str, ...]
    changes: tuple[Change, ...]
    saves_s: float
    """Seconds by which the plan, with this change alone, would take less; below 0: more."""
    together_s: float
    """The same with all the suggestions before it and this one; for a contract, with that alone."""
    idea: Idea
    """What it comes to in the plan after other changes."""
    turn: int
    """Those that are made together are made in this order: a split moves the places of tasks, and so comes late."""


class Advice(Value, frozen=True, kw_only=True):
    """What could be changed, and what for."""

    now_s: float
    """What the plan is expected to take as it is."""
    faster: tuple[Suggestion, ...] = ()
    """What saves the most comes first."""
    safer: tuple[Suggestion, ...] = ()
    """They save no time, and are good for something else."""
    later: tuple[Suggestion, ...] = ()
    """Contracts, with which a plan does not run yet."""
    left_out: int = 0
    """How many more there would be of `safer`."""


def advise(plan: Plan, *, named: Named, places: int = 5, default_s: float = 720.0) -> Advice:
    """The advice for a plan without circles; for one with, or with more than `MOST` tasks, none.

    `named`: the paths that a text names. `places` tasks run at once; one without an estimate takes `default_s`."""
    adviser = _Adviser(plan, named, places, default_s)
    graph = build(plan)
    if len(plan.tasks) > MOST or graph.dangling or len(topological(graph)) < len(graph.names):
        return Advice(now_s=adviser.now_s)
    return adviser.advice()


def together(plan: Plan, suggestions: Sequence[Suggestion]) -> tuple[Change, ...] | None:
    """The changes that make all of them, each in its turn; None where one leaves another nothing to do.

    Where one bears on another, they are not the same as those of each alone."""
    made: list[Change] = []
    for suggestion in sorted(suggestions, key=lambda each: each.turn):
        proposal = suggestion.idea(plan)
        if proposal is None:
            return None
        made += proposal.changes
        plan = changed(plan, proposal.changes)
    return tuple(made)


class _Adviser:
    def __init__(self, plan: Plan, named: Named, places: int, default_s: float) -> None:
        self._plan, self._named, self._places, self._default_s = plan, named, places, default_s
        self._turn = 0
        self._looks = max(_LEAST, _LOOKS // max(1, len(plan.tasks)))
        self.now_s = self._takes(plan)

    def _takes(self, plan: Plan) -> float:
        """Seconds from the first start to the last end."""
        self._looks -= 1
        graph = build(plan)
        return schedule(plan, graph, durations(plan, self._default_s), self._places, meetings(plan)).end_s

    def advice(self) -> Advice:
        sight = Sight(self._plan, self._named)
        faster, then = self._faster(savings(self._plan, sight), self._plan)
        halved, then = self._faster(halvings(self._plan, self._default_s), then)  # which moves the places of tasks
        unclaimed = list(self._asked(claims(self._plan, sight)))
        safer = list(self._safer(unclaimed[:_SHOWN], then))
        later = [
            self._suggestion(idea, own, self._saves(own))
            for idea, own in list(self._asked(contracts(self._plan, sight)))[:_SHOWN]
        ]
        return Advice(
            now_s=self.now_s,
            faster=tuple(self._best_first([*faster, *halved])),
            safer=tuple(safer),
            later=tuple(sorted((x for x in later if self._worth(x.saves_s)), key=lambda x: -x.saves_s)),
            left_out=len(unclaimed) - len(safer),
        )

    def _worth(self, saves_s: float) -> bool:
        return saves_s >= max(1.0, self.now_s * _WORTH)

    def _saves(self, proposal: Proposal) -> float:
        return self.now_s - self._takes(changed(self._plan, proposal.changes))

    def _best_first(self, found: list[Suggestion]) -> list[Suggestion]:
        """By what each saves alone; as they were found where some of them do not go without others."""
        best = sorted(found, key=lambda each: -each.saves_s)
        told: list[Suggestion] = []
        for n, each in enumerate(best):
            made = together(self._plan, best[: n + 1])
            saved_s = 0.0 if made is None else self.now_s - self._takes(changed(self._plan, made))
            if saved_s <= 0:
                return found
            told.append(replace(each, together_s=round(saved_s, 3)))
        return told

    def _asked(self, ideas: Iterable[Idea]) -> Iterable[tuple[Idea, Proposal]]:
        return ((idea, proposal) for idea in ideas if (proposal := idea(self._plan)) is not None)

    def _faster(self, ideas: Iterable[Idea], current: Plan) -> tuple[list[Suggestion], Plan]:
        """Again and again what saves the most of what is left, and the plan with all of that."""
        alone: list[tuple[float, int, Idea, Proposal]] = []
        for n, idea in enumerate(ideas):
            if self._looks > 0 and (proposal := idea(self._plan)) is not None:
                alone.append((-self._saves(proposal), n, idea, proposal))
        alone.sort(key=lambda x: x[:2])
        found: list[Suggestion] = []
        now_s = self._takes(current)
        while alone and len(found) < _SHOWN:
            best: tuple[float, int, Proposal] | None = None
            for k, (_, _, idea, own) in enumerate(alone):
                first = current is self._plan
                again = own if first else idea(current)
                if again is None or (found and self._looks <= 0):
                    continue
                saves_s = now_s - self._takes(changed(current, again.changes))
                if self._worth(saves_s) and (best is None or saves_s > best[0] + 1e-6):
                    best = (saves_s, k, again)
                if first:
                    break  # what saves the most alone is known
            if best is None:
                break
            saves_s, k, again = best
            current, now_s = changed(current, again.changes), now_s - saves_s
            cost_s, _, idea, own = alone.pop(k)
            found.append(self._suggestion(idea, own, -cost_s, self.now_s - now_s))
        return found, current

    def _safer(self, asked: Iterable[tuple[Idea, Proposal]], current: Plan) -> Iterable[Suggestion]:
        """Those that cost no time come first."""
        alone = sorted(((self._saves(own), idea, own) for idea, own in asked), key=lambda x: -x[0])
        for saves_s, idea, own in alone:
            current = changed(current, own.changes)
            yield self._suggestion(idea, own, saves_s, self.now_s - self._takes(current))

    def _suggestion(
        self, idea: Idea, proposal: Proposal, saves_s: float, together_s: float | None = None
    ) -> Suggestion:
        self._turn += 1
        return Suggestion(
            kind=proposal.kind,
            reason=proposal.reason,
            tasks=proposal.tasks,
            changes=proposal.changes,
            saves_s=round(saves_s, 3),
            together_s=round(saves_s if together_s is None else together_s, 3),
            idea=idea,
            turn=self._turn,
        )
