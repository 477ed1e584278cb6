"""The live view at work: takes in events and keys, and draws a frame when there is something new to see."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from stretto.cli import terminal
from stretto.cli.screen import Screen
from stretto.core.coordinator import Coordinator
from stretto.core.events import RunStarted
from stretto.observe.cells import painted
from stretto.observe.console import Console
from stretto.observe.live import Key, Look, frame
from stretto.observe.pace import Forecast, Pace
from stretto.observe.tails import Tails
from stretto.observe.taskrow import Scene, Widths, measure
from stretto.ports import Recorded, RunReader

GAP_S = 0.125
SHARE = 20
"""Between two frames, where nobody presses a key: so many seconds, and so many times what the last one took to make."""
TAILS_S = 0.5
FORECAST_S = 5.0
"""How often the logs are read, and how often the end is reckoned anew when nothing happens; in seconds."""
TAILS = 64
"""So many logs are read at most: no screen has more lines."""
TWICE_S = 0.5
"""A key that is held down asks once."""
_MOVES = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -20, "page down": 20, " ": 20, "home": -(10**9),
          "g": -(10**9), "end": 10**9, "G": 10**9}  # fmt: skip
_ASKS: dict[str, Key] = {"s": "stop", "d": "detach", "q": "quit"}


class Live:
    """Shows a run on a screen, and says when that has gone what failed meanwhile."""

    def __init__(
        self,
        screen: Screen,
        reader: RunReader,
        *,
        after: int,
        keys: Sequence[Key],
        alive: Callable[[], bool],
        write: Callable[[str], None],
    ) -> None:
        """`write` takes what is left when the screen has been given back."""
        self._screen, self._alive, self._write = screen, alive, write
        self._paint = terminal.paint(sys.stdout)
        self._failures: list[str] = []
        self._console = Console(
            self._failures.append, paint=self._paint, width=terminal.width(sys.stdout), quiet_until=after, only=("red",)
        )
        self._look = Look(keys=tuple(keys) if screen.reads_keys else ())
        self._pace, self._tails, self._forecast = Pace(), Tails(reader), Forecast()
        self._widths = Widths()
        self._news = self._outdated = True
        self._drawn_s = self._tails_s = self._forecast_s = self._stop_s = -1e9
        self._cost_s = 0.0

    @property
    def coordinator(self) -> Coordinator:
        return self._console.coordinator

    def notify(self, batch: Sequence[Recorded]) -> None:
        self._console.width = terminal.width(sys.stdout)
        self._console.notify(batch)
        for recorded in batch:
            self._pace.notify(recorded.event)
            if isinstance(recorded.event, RunStarted):
                self._widths = measure(recorded.event.plan)
        self._news, self._outdated = self._news or bool(batch), self._outdated or bool(batch)

    def wait(self, timeout_s: float) -> Sequence[Key]:
        self._draw(time.monotonic(), time.time())
        names = self._screen.wait(timeout_s)
        asked = [key for name in names if (key := self._press(name)) is not None]
        return asked[:1] if len(set(names)) == 1 else ()  # a text that was pasted asks for nothing

    def note(self, text: str) -> None:
        """A word to the person at the keyboard, until they press another key."""
        self._look, self._news = replace(self._look, note=text), True

    def interrupted(self, *, now: bool) -> None:
        pass  # the state says so, a moment later

    def leave(self) -> None:
        self._write_failures()

    def end(self, *, lands: bool) -> None:
        self._write_failures()
        for text in self._console.summary(lands=lands):
            self._write(text)

    def _write_failures(self) -> None:
        for text in self._failures:
            self._write(text)
        self._failures.clear()

    # --- keys -------------------------------------------------------------------------------------------------------

    def _press(self, name: str) -> Key | None:
        look = replace(self._look, note="")
        self._news, self._drawn_s = True, -1e9
        key = _ASKS.get(name)
        match name:
            case "?" | "h":
                look = replace(look, help=not look.help)
            case "t":
                look = replace(look, everything=not look.everything, offset=0)
            case "escape":
                look = replace(look, everything=False, help=False)
            case "redraw":
                self._screen.changed = True
            case _ if name in _MOVES:
                look = replace(look, everything=True, offset=look.offset + _MOVES[name] if look.everything else 0)
            case _:
                pass
        self._look = look
        if key not in look.keys:
            return None
        if key == "stop":
            if time.monotonic() - self._stop_s < TWICE_S:
                return None
            self._stop_s = time.monotonic()
        return key

    # --- frames -----------------------------------------------------------------------------------------------------

    def _draw(self, clock_s: float, now: float) -> None:
        since_s = clock_s - self._drawn_s
        if self._screen.gone or (since_s < max(GAP_S, SHARE * self._cost_s) and not self._screen.changed):
            return
        if clock_s - self._tails_s >= TAILS_S:
            self._news, self._tails_s = self._look_at_logs() or self._news, clock_s
        if not (self._news or self._screen.changed or int(now) != int(now - since_s)):
            return
        if self._outdated or clock_s - self._forecast_s >= FORECAST_S:
            self._forecast, self._forecast_s = self._pace.forecast(self.coordinator, now), clock_s
            self._outdated = False
        scene = Scene(
            coordinator=self.coordinator,
            now=now,
            alive=self._alive(),
            began_at=self._pace.began_at,
            forecast=self._forecast,
            took_s=self._pace.took_s,
            tails=self._tails.lines,
            widths=self._widths,
        )
        lines, self._look = frame(scene, self._look, *self._screen.size())
        self._screen.draw([painted(line, self._paint) for line in lines])
        self._news, self._drawn_s = False, clock_s
        self._cost_s = time.monotonic() - clock_s

    def _look_at_logs(self) -> bool:
        """Whether there is something new in them."""
        running = [(record.id, record.attempt) for record in self.coordinator.state.tasks if record.state == "running"]
        return self._tails.look(running[:TAILS])
