"""The live view of a run: a frame is its state, the last lines of its logs and the time, set for a screen's size.

What does not fit gives way: first blank lines, then tasks that do not matter now, then the lines at the foot. A frame
never has more lines than the screen, and no line is wider than it.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from typing import Literal

from stretto.core.state import State, TaskRecord
from stretto.model.plan import Value
from stretto.model.run import TaskState
from stretto.observe.cells import BLANK, Line, Piece, clipped, flat, folded
from stretto.observe.paint import AGES_S, STATE_COLOURS, Colour, clock, count, span, width_of
from stretto.observe.roster import everything, roster
from stretto.observe.snapshot import answers, condition
from stretto.observe.taskrow import CRITICAL, Scene, ago, spending
from stretto.observe.words import plain, question

BAR = 40
"""Columns of the bar at most."""
LABEL = 10
"""Columns of what stands in front of the lines at the foot."""
_LIMITS = 2
_MOST_LINES = 3
"""So many lines of the foot at most are for one text."""
_NAMED = 5
_PARTS: Sequence[tuple[str, Colour, tuple[TaskState, ...]]] = (
    ("━", "green", ("succeeded",)),
    ("━", "red", ("failed",)),
    ("━", "yellow", ("skipped", "cancelled")),
    ("╍", "cyan", ("running", "gating", "landing", "waiting")),
)
"""The bar, from its left: with what it is drawn, and for which states."""

_COUNTED: Sequence[tuple[str, Colour | None, tuple[TaskState, ...]]] = (
    ("failed", "red", ("failed",)),
    ("waiting", "yellow", ("waiting",)),
    ("at work", None, ("running", "gating", "landing")),
    ("skipped", None, ("skipped",)),
    ("cancelled", None, ("cancelled",)),
)
"""What the first line counts, beside what is done."""

Key = Literal["stop", "detach", "quit", "scroll", "help"]
"""What somebody at the keyboard may ask for."""


class Look(Value, frozen=True, kw_only=True):
    """How the person in front of the screen wants to see it."""

    keys: tuple[Key, ...] = ()
    everything: bool = False
    offset: int = 0
    help: bool = False
    note: str = ""
    """A word to them, in place of the line of keys."""


def frame(scene: Scene, look: Look, width: int, height: int) -> tuple[list[Line], Look]:
    """At most `height` lines of at most `width` columns, and the look with its offset put right."""
    head = list(_header(scene, width))
    foot = list(_footer(scene, look, width, height))
    if height < len(head) + len(foot) + 4:
        foot = foot[: max(0, height - len(head) - 4)]
    room = height - len(head) - len(foot) - 1 - bool(foot)
    if look.everything:
        body, offset = everything(scene, width, room, look.offset)
        look = Look(keys=look.keys, everything=True, offset=offset, help=look.help, note=look.note)
    else:
        body = roster(scene, width, room)
    lines = [*head, BLANK, *body, *((BLANK, *foot) if foot else ())]
    return lines[: max(0, height)], look


# --- above -------------------------------------------------------------------------------------------------------


def _header(scene: Scene, width: int) -> Iterator[Line]:
    state = scene.state
    name = _condition(scene)
    done = f"{state.counts.get('succeeded', 0)} of {len(state.tasks)} done"
    pieces = [Piece(state.run, "bold"), Piece("  "), Piece(name, STATE_COLOURS.get(name)), Piece(f"  {done}")]
    for word, colour, states in _COUNTED:
        if number := sum(state.counts.get(one, 0) for one in states):
            pieces.append(Piece(f", {number} {word}", colour))
    yield clipped(pieces, width)
    spent = spending(usage for record in state.tasks for usage in record.usage)
    left = _left(scene)
    yield clipped(
        (
            *_bar(state, min(BAR, width // 4)),
            Piece(f"  {clock(scene.now - (scene.began_at or state.started_at))}"),
            *((Piece(f"  {left}"),) if left else ()),
            Piece(f"  {state.active} of {count(state.parallel, 'place')} used"),
            *((Piece(f"  {spent}"),) if spent else ()),
            Piece(f"  {flat(state.plan.name)}", "dim"),
        ),
        width,
    )


def _condition(scene: Scene) -> str:
    """The state of the run in a word."""
    if scene.alive:
        return "stopping" if scene.state.run_state == "draining" else scene.state.run_state
    return condition(scene.state, None, scene.now)


def _bar(state: State, width: int) -> Iterator[Piece]:
    total, upto, drawn = max(1, len(state.tasks)), 0, 0
    for stroke, colour, states in _PARTS:
        upto += sum(state.counts.get(name, 0) for name in states)
        end = round(width * upto / total)
        yield Piece(stroke * (end - drawn), colour)
        drawn = end
    yield Piece("─" * (width - drawn), "dim")


def _left(scene: Scene) -> str:
    """How long it will still take, in steps so large that it does not jump about."""
    end_at, state = scene.forecast.end_at, scene.state
    asks = state.drain is None and any(record.wait == "person" for record in state.tasks)
    if asks and not state.active:
        return "waits for you"
    if end_at is None or end_at - scene.now > AGES_S:
        return ""
    left_s = max(0.0, end_at - scene.now)
    if left_s < 10 and asks:
        return "then waits for you"
    if left_s < 10:
        return "about to end"
    step_s = 10 if left_s < 60 else 30 if left_s < 600 else 60 if left_s < 3600 else 300
    return f"about {span(round(left_s / step_s) * step_s).replace('m00s', 'm')} left"


# --- below -------------------------------------------------------------------------------------------------------


def _footer(scene: Scene, look: Look, width: int, height: int) -> Iterator[Line]:
    state = scene.state
    asked = [record for record in state.tasks if record.wait == "person"]
    most = max(1, min(_MOST_LINES, height // 10))
    for told in (*_asks(state, asked, width, height, most), *_limits(scene, width, most), _lands(state)):
        yield clipped(told, width)
    if look.note:
        yield clipped((Piece(look.note, "yellow"),), width)
    elif look.help:
        yield from (clipped((Piece(text, "dim"),), width) for text in _help(look.keys))
    elif look.keys:
        yield clipped((Piece(_keys(look, state), "dim"),), width)


def _label(text: str, colour: Colour | None = "dim") -> Piece:
    return Piece(text.ljust(LABEL), colour)


def _text(label: Piece, text: str, width: int, most: int) -> Iterator[Line]:
    """A text behind its label, in up to `most` lines."""
    for n, part in enumerate(folded(text, max(1, width - LABEL), most)):
        yield label if n == 0 else _label(""), Piece(part)


def _command(command: str, width: int, run: str) -> Iterator[Line]:
    """A command, whole: what cannot be typed as it stands helps nobody. In a narrow place it goes on in the next line,
    as a shell reads it; where even that cannot be, the command that tells it stands instead."""
    words = [shlex.quote(word) for word in shlex.split(command)]
    if LABEL + width_of(command) <= width:
        yield _label(""), Piece(command, "bold")
    elif width_of(command) <= width:
        yield (Piece(command, "bold"),)
    elif max(map(width_of, words)) + 2 > width:
        yield (Piece(f"stretto status {run}", "bold"),)
    else:
        told = ""
        for word in words:
            if told and width_of(f"{told} {word} \\") > width:
                yield (Piece(f"{told} \\", "bold"),)
                told = ""
            told = f"{told} {word}".strip()
        yield (Piece(told, "bold"),)


def _asks(state: State, asked: Sequence[TaskRecord], width: int, height: int, lines: int) -> Iterator[Line]:
    """What waits for a person, with the command by which they answer."""
    most = max(1, height // 12)
    for record in asked[:most]:
        yield from _text(_label("asks you", "yellow"), f"{flat(record.id)}: {flat(question(record))}", width, lines)
        yield from _command(answers(state, record)[-2].removeprefix("yes:").strip(), width, state.run)
    if len(asked) > most:
        more, status = f"and {count(len(asked) - most, 'more task')}:", f"stretto status {state.run}"
        if LABEL + width_of(f"{more} {status}") <= width:
            yield _label(""), Piece(f"{more} {status}", "dim")
        else:
            yield _label(""), Piece(more, "dim")
            yield from _command(status, width, state.run)


def _limits(scene: Scene, width: int, most: int) -> Iterator[Line]:
    """What keeps the run, or parts of it, from going on."""
    state, now = scene.state, scene.now
    drain = state.drain
    if drain is not None:
        reason = "" if drain.reason == drain.outcome else f": {plain(drain.reason)}"
        what = "what runs is being ended, its work saved" if drain.now else "nothing more starts, what runs may finish"
        due = state.timers.get("drain")
        within = f" within {ago(due - now)}" if due is not None and not drain.now else ""
        until = f"; it may go on at {_at(drain.until, now)}" if drain.until is not None else ""
        label = "paused" if drain.outcome == "paused" else "stopping"
        yield from _text(_label(label, "yellow"), f"{what}{within}{until}{reason}", width, most)
    if state.critical:
        yield from _text(_label("critical", "red"), plain(state.critical), width, most)
    for why in list(state.out.values())[:_LIMITS]:
        yield from _text(_label("agent", "red"), f"it gets no more tasks: {plain(why)}", width, most)
    for phase, why in list(state.halted.items())[:_LIMITS]:
        yield from _text(_label("stopped", "yellow"), f"{flat(phase)}: {plain(why)}", width, most)
    denied: dict[str, list[float]] = {}
    for timer, due in state.timers.items():
        if timer.startswith("grant:") and (record := state.by_id.get(timer.removeprefix("grant:"))) is not None:
            denied.setdefault(plain(record.reason), []).append(due)
    for reason, dues in list(denied.items())[:_LIMITS]:
        told = f"until {_at(min(dues), now)}: {count(len(dues), 'task')}, {reason}"
        yield from _text(_label("limit", "yellow"), told, width, most)


def _at(when: float, now: float) -> str:
    """`14:05, in 12m`; a day that is not today is named."""
    if abs(when - now) > AGES_S:  # no calendar has it
        return f"in {ago(when - now)}"
    local, today = time.localtime(when), time.localtime(now)
    day = "" if local[:3] == today[:3] else time.strftime("%a ", local)
    return f"{day}{time.strftime('%H:%M', local)}, in {ago(when - now)}"


def _lands(state: State) -> Line:
    """What is being landed, and what is next in the queue."""
    lane = state.lane
    now = [entry.task for entry in lane.batch.entries] if lane.batch is not None else []
    names = [flat(state.tasks[index].id) for index in lane.queue[:_NAMED]]
    more = f" and {len(lane.queue) - _NAMED} more" if len(lane.queue) > _NAMED else ""
    if not now and not names:
        return _label("landing"), Piece("nothing now", "dim")
    then = f"; then {', '.join(names)}{more}" if names else ""
    return _label("landing"), Piece(", ".join(map(flat, now)) or "nothing now", "blue"), Piece(then, "dim")


def is_stopping(state: State) -> bool:
    """Whether somebody has asked it to: who asks once more wants what runs to end, too."""
    return state.drain is not None and state.drain.outcome == "stopped"


def _keys(look: Look, state: State) -> str:
    told = {
        "stop": "s end what runs, too" if is_stopping(state) else "s stop",
        "detach": "d detach",
        "quit": "q quit",
        "scroll": "t what matters  ↑↓ scroll" if look.everything else "t all tasks",
        "help": "? help",
    }
    return "   ".join(told[key] for key in look.keys)


def _help(keys: Sequence[Key]) -> Iterator[str]:
    told = {
        "stop": "s  stop: what runs may finish, nothing more starts; s again ends what runs, too",
        "detach": "d  detach: leave the run in the background; it goes on",
        "quit": "q  quit looking; the run goes on",
        "scroll": "t  all tasks, or what matters now; ↑ ↓ j k PgUp PgDn g G scroll",
        "help": f"{CRITICAL}  on the way that decides when the run ends; #2: second attempt; ? closes this",
    }
    yield from (told[key] for key in keys)
