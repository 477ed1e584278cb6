"""Keys in the live view: what they ask for, and what they change on the screen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from live_screens import KEYS, SHOP
from stretto.cli.live import Live
from stretto.cli.screen import Screen
from stretto.core import events as ev
from stretto.model.run import Failure, RunSettings
from stretto.observe.live import Key
from stretto.ports import Engine, Recorded


class Desk(Screen):
    """A screen that is no terminal, and a keyboard on which the test types."""

    def __init__(self) -> None:
        self.gone, self.changed, self.typed = False, False, list[list[str]]()
        self.shown: Sequence[str] = ()
        self.drawn = 0

    @property
    def reads_keys(self) -> bool:
        return True

    def size(self) -> tuple[int, int]:
        return 79, 24

    def draw(self, lines: Sequence[str]) -> None:
        self.shown, self.drawn = lines, self.drawn + 1

    def wait(self, timeout_s: float) -> list[str]:
        return self.typed.pop(0) if self.typed else []


class Silent:
    """A RunReader of a run that is told by the test."""

    def events(self, after: int = 0) -> list[Recorded]:
        return []

    def engine(self) -> Engine | None:
        return None

    def log(self, task: str, attempt: int, offset: int = 0) -> bytes:
        return b""


STORY: list[ev.Event] = [
    ev.RunStarted(at=0.0, run="r", plan=SHOP, settings=RunSettings(attempts=1), base="b", branch="x"),
    ev.RunResumed(at=0.0),
    ev.Granted(at=1.0, task="schema", attempt=1),
    ev.AttemptStarted(at=1.0, task="schema", attempt=1),
]


class Seat:
    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        self.desk, self.said = Desk(), list[str]()
        self.live = Live(self.desk, Silent(), after=0, keys=keys, alive=lambda: True, write=self.said.append)
        self.live.notify([Recorded(seq=n, event=event) for n, event in enumerate(STORY, 1)])

    def types(self, *names: str) -> list[Key]:
        """All at once; what is asked for by it."""
        self.desk.typed.append(list(names))
        asked = list(self.live.wait(0.0))
        self.live.wait(0.0)
        return asked

    @property
    def last(self) -> str:
        return self.desk.shown[-1]


def test_keys_ask_for_what_they_may() -> None:
    assert Seat().types("s") == ["stop"]
    assert Seat().types("d") == ["detach"]
    assert Seat().types("q") == [], "nobody quits a run of their own: they stop it, or detach"
    assert Seat(("quit",)).types("q") == ["quit"]
    assert Seat(("quit",)).types("s") == []
    assert Seat().types("x") == []


def test_a_key_that_is_held_down_asks_once() -> None:
    seat = Seat()
    assert seat.types("s", "s", "s") == ["stop"]
    assert seat.types("s") == []


def test_a_text_that_was_pasted_asks_for_nothing() -> None:
    assert Seat().types(*"stretto status") == []


def test_keys_change_what_is_seen() -> None:
    seat = Seat()
    seat.types("?")
    assert "second attempt" in seat.last
    seat.types("escape")
    assert "t all tasks" in seat.last
    seat.types("t")
    assert "t what matters" in seat.last
    seat.types("t")
    seat.types("down")
    assert "t what matters" in seat.last, "who scrolls wants to see everything"


def test_a_note_goes_with_the_next_key() -> None:
    seat = Seat()
    seat.live.note("no")
    seat.types()
    assert "no" in seat.last
    seat.types("x")
    assert "s stop" in seat.last


def test_nothing_is_drawn_where_nothing_is_new() -> None:
    seat = Seat()
    for _ in range(100):
        seat.live.wait(0.0)
    assert seat.desk.drawn <= 3, "once, and once more where a second has passed meanwhile"


def test_what_has_failed_is_said_when_the_screen_has_gone() -> None:
    seat = Seat()
    failed = ev.AttemptFailed(
        at=2.0, task="schema", attempt=1, failure=Failure(kind="permanent", message="no such table")
    )
    seat.live.notify([Recorded(seq=5, event=failed)])
    assert seat.said == []
    seat.live.leave()
    assert len(seat.said) == 1
    assert "schema" in seat.said[0] and "no such table" in seat.said[0]
    seat.live.end(lands=False)
    assert sum("attempt 1 failed" in text for text in seat.said) == 1


@pytest.mark.parametrize("gone", [True, False])
def test_where_nobody_is_left_nothing_is_drawn(gone: bool) -> None:
    seat = Seat()
    seat.desk.gone = gone
    seat.live.wait(0.0)
    assert bool(seat.desk.drawn) != gone
