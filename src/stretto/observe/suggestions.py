"""Advice on a plan, as text for people and as JSON: what to change, what it saves, and the patch that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, assert_never

from stretto.analysis.advice import MOST, Advice, Suggestion, together
from stretto.analysis.wording import counted, listed, quoted, spoken
from stretto.model.change import (
    AddHotFile,
    AddNeeds,
    AddWrites,
    Change,
    DropNeed,
    MakeParallel,
    SplitTask,
    UseContract,
)
from stretto.model.plan import Location, Plan
from stretto.observe.layout import advice as hint
from stretto.observe.layout import wrap
from stretto.observe.paint import Colour, Paint, line

Patch = Callable[[Sequence[Change]], str | None]
"""The patch that makes these changes; None where the plan's format cannot say one of them."""

_CAUTION = (
    "Advice, to be judged by somebody who knows the work: what no file, name or word shows may be needed all the same."
    " Of dependencies like these about half are real."
)
_COLOURS: Mapping[str, Colour] = {"+": "green", "-": "red", "@": "blue"}


def suggestions_json(plan: Plan, advice: Advice, patch: Patch, places: Mapping[str, Location]) -> dict[str, Any]:
    """`show --suggest --json`. Times are seconds; `saves_s` is of one change alone, `together_s` with those before it.

    `patch` at the top makes all of `suggestions`; where one of them has none of its own, it makes the others."""

    def told(suggestion: Suggestion) -> dict[str, Any]:
        own = patch(suggestion.changes)
        return {
            "kind": suggestion.kind,
            "reason": suggestion.reason,
            "tasks": list(suggestion.tasks),
            "saves_s": suggestion.saves_s,
            "together_s": suggestion.together_s,
            "patch": own,
            "edits": [] if own is not None else list(edits(plan, places, suggestion.changes)),
        }

    return {
        "format": plan.format,
        "plan": plan.name,
        "now_s": advice.now_s,
        "suggestions": [told(each) for each in (*advice.faster, *advice.safer)],
        "later": [told(each) for each in advice.later],
        "patch": all_at_once(plan, advice, patch),
    }


def all_at_once(plan: Plan, advice: Advice, patch: Patch) -> str | None:
    """One patch for all suggestions but contracts, without those that the plan's format has no words for."""
    able = [each for each in (*advice.faster, *advice.safer) if patch(each.changes) is not None]
    return one_patch(plan, able, patch) if able else None


def one_patch(plan: Plan, suggestions: Sequence[Suggestion], patch: Patch) -> str | None:
    """One patch for all of these, which stand in the order of the advice; None where they cannot be made together."""
    changes = together(plan, suggestions)
    return None if changes is None else patch(changes)


def suggestions_text(
    plan: Plan,
    advice: Advice,
    patch: Patch,
    places: Mapping[str, Location],
    *,
    at_once: int,
    command: str,
    paint: Paint,
    width: int | None,
) -> Iterator[str]:
    """The lines of `show --suggest`; those of a patch are as they have to be, whatever the width.

    `command`, with a number or `all` in its place, makes the changes."""
    head = f"{line(plan.name) or 'a plan'} ({plan.format}): about {spoken(advice.now_s)} with {at_once} at once"
    yield from (paint(text, "bold") for text in wrap(head, width))
    if not (advice.faster or advice.safer or advice.later):
        why = f": plans of more than {MOST:,} tasks get no advice" if len(plan.tasks) > MOST else ""
        yield from wrap(f"nothing to suggest{why}", width)
        return
    yield from wrap(_CAUTION, width, rest="")
    groups = (
        ("What would save time", advice.faster),
        ("What would save no time, but keeps tasks out of each other's way", advice.safer),
        ("What contracts would save, once plans with contracts run", advice.later),
    )
    number, able = 0, list[int]()
    for title, suggestions in groups:
        if suggestions:
            yield ""
            yield paint(title, "bold")
        for each in suggestions:
            number += 1
            yield ""
            yield from wrap(f"{_saved(each, number)}: {line(each.reason)}", width, first=f"{number}. ", rest="   ")
            own = patch(each.changes)
            able += [] if own is None else [number]
            yield from _done(plan, each, own, places, paint, width)
    if advice.left_out:
        yield ""
        yield from wrap(f"and {counted(advice.left_out, 'more claim')} like these", width)
    if able:
        which = f"{able[0]}"
        if len(able) > 1:
            which += (
                f", several (`{able[0]},{able[1]}`) or `all` {'of them' if len(able) == number else 'with a patch'}"
            )
        yield ""
        yield from hint(
            f"to make number {which}: {command.format(able[0])}\n"
            "the numbers are those of the file as it is now: after a change, look again",
            width,
        )


def _saved(suggestion: Suggestion, number: int) -> str:
    """What it is, and what it saves."""
    alone_s, together_s = suggestion.saves_s, suggestion.together_s
    if round(alone_s) <= 0:
        alone = f"takes {spoken(-alone_s)} longer" if round(alone_s) < 0 else "saves no time"
    else:
        alone = f"saves {spoken(alone_s)}"
    apart = number > 1 and suggestion.kind != "contract" and round(together_s) != round(alone_s) != 0
    return f"{suggestion.kind}, {alone}{f' ({spoken(max(0.0, together_s))} with those before it)' if apart else ''}"


def _done(
    plan: Plan,
    suggestion: Suggestion,
    own: str | None,
    places: Mapping[str, Location],
    paint: Paint,
    width: int | None,
) -> Iterator[str]:
    """How to do it: a patch, or words."""
    if own is None:
        for each in edits(plan, places, suggestion.changes):
            yield from wrap(each, width, first="   by hand: ", rest="      ")
        return
    for text in own.splitlines() if "\r" not in own else own.split("\n")[:-1]:
        yield paint(text, _COLOURS.get(text[:1]))


def edits(plan: Plan, places: Mapping[str, Location], changes: Sequence[Change]) -> Iterator[str]:
    """Each change in words, with where in the file."""
    for change in changes:
        words, *keys = _edit(plan, change)
        place = next((found for key in (*keys, "plan") if (found := places.get(key)) is not None), None)
        yield f"{place.file}:{place.line}:{place.column}: {words}" if place else words


def _edit(plan: Plan, change: Change) -> tuple[str, ...]:
    """What to do, and the names of the places where, the best first."""
    match change:
        case DropNeed():
            phase = next(x for x in plan.phases if x.id == change.phase)
            at = f"phase:{phase.id}"
            n = phase.depends_on.index(change.on) if change.on in phase.depends_on else 0
            return f"let {quoted(phase.id)} not wait for {quoted(change.on)}", f"{at}:depends_on:{n}", at
        case AddNeeds():
            at = f"task:{change.task}"
            return f"let {quoted(change.task)} wait for {listed(change.needs)}", f"{at}:depends_on", at
        case MakeParallel():
            return f"let the tasks of {quoted(change.phase)} run side by side", f"phase:{change.phase}"
        case AddWrites():
            return f"say that {quoted(change.task)} writes {listed(change.writes)}", f"task:{change.task}"
        case AddHotFile():
            owner = next((x.id for x in plan.tasks if change.path in (x.writes or ())), "")
            words = f"split {quoted(change.path)}, or leave what all of them write there to one task"
            return words, f"task:{owner}:writes", f"task:{owner}"
        case SplitTask():
            halves = f"one for {listed(change.keeps)}, one for {listed(change.gives)}"
            verb = "waits" if len(change.waiting) == 1 else "wait"
            behind = f"; {listed(change.waiting)} then {verb} for both" if change.waiting else ""
            return f"make two tasks of {quoted(change.task)}: {halves}{behind}", f"task:{change.task}"
        case UseContract():
            words = (
                f"let {quoted(change.task)} use a contract that {quoted(change.provider)} provides, and not wait for it"
            )
            return words, f"task:{change.task}"
        case _:
            assert_never(change)
