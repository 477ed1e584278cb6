"""What is to be said of a dynamic phase plan besides what is found in any plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stretto.analysis.wording import listed
from stretto.formats.dynamic_phases import shape
from stretto.formats.dynamic_phases.order import Known
from stretto.formats.dynamic_phases.prompt import feature_names
from stretto.formats.dynamic_phases.status import COMPLETED, FAILED, Lists, state_of
from stretto.formats.reading import Table, kind
from stretto.formats.syntax.source import Steps

_MAX_TOKENS = 16_000
_TOO_MANY = 1.5
"""The planner makes phases of 16,000 tokens at most, and warns of those that are larger by half."""


class Teller:
    """Reports about the phases of one plan, each kind once for all of them."""

    def __init__(self, root: Table, phases: Sequence[Known]) -> None:
        self._root = root
        self._phases = phases
        self._steps: dict[str, Steps] = {}
        for (i, _), phase in zip(shape.phases(dict(root.values)), phases, strict=False):
            self._steps.setdefault(phase.id, (*root.steps, "phases", i))

    def at(self, id: str, *more: str) -> Steps:
        """Where a phase stands."""
        return (*self._steps[id], *more)

    def report(
        self,
        code: str,
        message: str,
        ids: Sequence[str],
        hint: str,
        *,
        severity: Literal["warning", "info"] = "info",
        key: str = "",
    ) -> None:
        """A finding about these phases, at the first of them."""
        steps = self.at(ids[0], key) if key else self.at(ids[0])
        self._root.reading.report(code, message, steps, hint, severity=severity, tasks=tuple(dict.fromkeys(ids)))

    def tell(self, lists: Lists) -> None:
        """Everything that the numbers and states of the plan itself give occasion to."""
        self._count()
        self._features()
        self._tokens()
        self._states(lists)

    def _count(self) -> None:
        total = self._root.values.get("totalPhases")
        if total is not None and shape.id_of(total) != str(len(self._phases)):
            message = f"`totalPhases` is {kind(total)}, but the plan has {len(self._phases)}"
            self._root.reading.report(
                "phase-count", message, (*self._root.steps, "totalPhases"), "is the file complete? if so, correct it"
            )

    def _features(self) -> None:
        if bare := [phase.id for phase in self._phases if not feature_names(phase.values)]:
            verb = "has" if len(bare) == 1 else "have"
            hint = "list in `features` what is to be built"
            self.report("no-features", f"{said(bare)} {verb} no features", bare, hint, severity="warning")

    def _tokens(self) -> None:
        large = [
            phase.id
            for phase in self._phases
            if isinstance(tokens := phase.values.get("estimatedTokens"), int | float)
            and tokens > _MAX_TOKENS * _TOO_MANY
        ]
        if large:
            verb = "is" if len(large) == 1 else "are"
            message = f"{said(large)} {verb} estimated at more than {_MAX_TOKENS * _TOO_MANY:,.0f} tokens"
            self.report("large-phase", message, large, "split what is too much for one go", key="estimatedTokens")

    def _states(self, lists: Lists) -> None:
        odd = [
            phase.id
            for phase in self._phases
            if (state := state_of(phase.values, phase.id, lists)) is not None and lists.differs(phase.id, state)
        ]
        known = {phase.id for phase in self._phases}
        gone = sorted(((lists.completed or frozenset()) | (lists.failed or frozenset())) - known)
        hint = f"correct the `status` of the phase, or `{COMPLETED}` and `{FAILED}` of the plan"
        if odd:
            message = f"the `status` of {said(odd)} is not what the plan's lists of numbers say; the phase's own counts"
            self.report("status-differs", message, odd, hint, key="status")
        if gone:
            message = f"the plan's lists of numbers name {listed(gone)}, and it has no such phase"
            self._root.reading.report("status-differs", message, self._root.steps, hint, severity="info")


def said(ids: Sequence[str]) -> str:
    """`phase '3'`, or `phases '3' and '4'`; of many the first."""
    return f"{'phase' if len(ids) == 1 else 'phases'} {listed(ids)}"
