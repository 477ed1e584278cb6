"""A journal as others may see it: agents that are commands go by names without the secrets in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stretto.core.events import Event, RunStarted
from stretto.model.redaction import aliases, disguised
from stretto.ports import Recorded


def names_to_show(recorded: Sequence[Recorded]) -> dict[str, str]:
    """What to call the run's agents whose names give a secret away."""
    names: list[str] = []
    for one in recorded[:1]:
        if isinstance(one.event, RunStarted):
            plan, settings = one.event.plan, one.event.settings
            names += (settings.agent, *settings.fallbacks, *plan.defaults.agent)
            names += (name for task in plan.tasks for name in task.agent)
    return aliases(filter(None, names))


def disguise(recorded: Sequence[Recorded], shown: Mapping[str, str]) -> Sequence[Recorded]:
    """The same events with these names for those agents; as they are where there is nothing to hide."""
    if not shown:
        return recorded
    return [Recorded(seq=one.seq, event=_event(one.event, shown)) for one in recorded]


class Disguise:
    """The same for a journal that comes in batches, from its first event on."""

    def __init__(self) -> None:
        self._shown: Mapping[str, str] = {}

    def __call__(self, batch: Sequence[Recorded]) -> Sequence[Recorded]:
        if batch and batch[0].seq == 1:
            self._shown = names_to_show(batch)
        return disguise(batch, self._shown)


def _event(event: Event, shown: Mapping[str, str]) -> Event:
    data = msgspec.to_builtins(event)
    other = disguised(data, shown)
    return event if other == data else msgspec.convert(other, type(event))
