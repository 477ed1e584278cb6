"""A journal, an inbox and a reader in memory: nothing survives the object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stretto.core.events import Event, RequestReceived, Wish
from stretto.ports import Engine, Recorded, Request


class MemoryJournal:
    """Implements Journal and Inbox. `recorded` may be looked at and cut, to play a crash."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self.recorded: list[Recorded] = []
        self._requests: dict[str, Request] = {}
        self._answers: dict[str, tuple[bool, str]] = {}
        self._write(events)

    async def append(self, events: Sequence[Event]) -> int:
        self._write(events)
        return len(self.recorded)

    def read(self, after: int = 0) -> Iterator[Recorded]:
        yield from self.recorded[after:]

    def put(self, wish: Wish, *, request: str) -> None:
        self._requests.setdefault(request, Request(id=request, at=wish.at, wish=wish))

    def waiting(self) -> Sequence[Request]:
        taken = {item.event.request for item in self.recorded if isinstance(item.event, RequestReceived)}
        return [request for id, request in self._requests.items() if id not in taken and id not in self._answers]

    def answered(self, request: str) -> tuple[bool, str] | None:
        return self._answers.get(request)

    def answer(self, request: str, *, accepted: bool, why: str) -> None:
        if request in self._requests:
            self._answers.setdefault(request, (accepted, why))

    def _write(self, events: Sequence[Event]) -> None:
        for event in events:
            self.recorded.append(Recorded(seq=len(self.recorded) + 1, event=event))


class MemoryReader:
    """Implements RunReader over a MemoryJournal. `logs` holds the output of attempts by (task, attempt)."""

    def __init__(
        self, journal: MemoryJournal, *, logs: Mapping[tuple[str, int], bytes] = {}, engine: Engine | None = None
    ) -> None:
        self._journal = journal
        self._logs = logs
        self._engine = engine

    def events(self, after: int = 0) -> Iterator[Recorded]:
        return self._journal.read(after)

    def engine(self) -> Engine | None:
        return self._engine

    def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
        return self._logs.get((task, attempt), b"")[offset:]
