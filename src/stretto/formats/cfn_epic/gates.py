"""Checks of an epic: commands that it names are run, manual reviews are asked for, thresholds stay words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stretto.formats.auto_claude.checks import checks
from stretto.formats.auto_claude.prompt import plain
from stretto.formats.cfn_epic.names import listed
from stretto.formats.cfn_epic.outline import Node, fold, holders
from stretto.formats.reading import Reading, shown
from stretto.formats.syntax.source import Steps
from stretto.model.plan import Check

_COMMANDS = {
    *("testcommand", "testcommands", "validationcommand", "validationcommands", "verifycommand", "verifycommands"),
    *("verificationcommand", "verificationcommands", "checkcommand", "checkcommands"),
}
_INSIDE = {*_COMMANDS, "command", "commands", "run"}
"""Within a mapping that is about checks."""
_ABOUT_CHECKS = {"validation", "verification", "qualitygate", "qualitygates", "gate", "gates"}
_THRESHOLDS = ("qualitygates", "loopthresholds", "phasegates", "decisionauthorityconfig")
_LIMITS = ("resourcelimits", "timeoutconfig")
_KEPT = {"maxagentspersprint"}
"""Limits that a plan has words for."""
_BY_HAND = re.compile(
    r"(?<!\bno )(?<!\bnot )(?<!\bwithout )(?<!\bnon-)(?<!\buser )"
    r"\b(?:manual(?:ly)?|by hand|by a (?:human|person)"
    r"|human (?:review|check|approval|inspection|validation|verification))\b",
    re.IGNORECASE,
)
"""Somebody is to look; neither that nobody need, nor a manual to read in."""
_NOTHING = {"", "none", "n/a"}
_MAX_DEPTH = 4


def gates_of(reading: Reading, node: Node, task: str) -> list[tuple[Check, Steps]]:
    """What has to hold once the task is done, by what `node` says of it or of the sprint that it ends."""
    found: list[tuple[Check, Steps]] = []
    for key, value in node.values.items():
        steps = (*node.steps, key)
        if fold(key) in _COMMANDS:
            found += _commands(reading, value, steps, task)
        elif fold(key) in _ABOUT_CHECKS:
            found += _inside(reading, value, steps, task)
            for text, at in _prose(value, steps):
                if _asks(text):
                    found += checks(reading, text, at, task)
    return found


def epic_gates(reading: Reading, epic: Node) -> list[tuple[Check, Steps]]:
    """Commands that have to succeed on every merged tree. What asks a person is left to the prompts."""
    found = [gate for holder in holders(epic) for gate in gates_of(reading, holder, "the epic")]
    return [(check, steps) for check, steps in found if check.kind == "command"]


def tell_what_is_words(reading: Reading, epic: Node) -> None:
    """One finding about thresholds and limits that nothing here holds anybody to, and one about checks in words."""
    _tell_prose(reading, epic)
    names: list[str] = []
    first: Steps | None = None
    for holder in holders(epic):
        for folded in (*_THRESHOLDS, *_LIMITS):
            key = holder.key(folded)
            value = holder.values.get(key) if key else None
            own = _plain_keys(value) if isinstance(value, dict) else []
            if own and key:
                names += own
                first = first or (*holder.steps, key)
    if first is not None:
        reading.report(
            "not-enforced",
            f"thresholds and limits are told to the agents, and not enforced: {listed(names, 6)}",
            first,
            "a `testCommand` is run as a check; `-j` limits how many tasks run at once",
            severity="info",
        )


def _tell_prose(reading: Reading, epic: Node) -> None:
    """What says in words how to check it. Nobody is asked about an epic, nor about a phase that has sprints."""
    groups = list(epic.groups())
    nodes = [(node, False) for node in (*holders(epic), *(x for x in epic.children if not x.is_group))]
    nodes += [(node, True) for group in groups for node in (group, *group.children)]
    found: dict[str, Steps] = {}
    for node, asks in nodes:
        for key, value in node.values.items():
            if fold(key) in _ABOUT_CHECKS:
                for text, at in _prose(value, (*node.steps, key)):
                    if not asks or not _asks(text):
                        found.setdefault(repr(shown(text)), at)
    if found:
        reading.report(
            "not-enforced",
            f"checks in plain words are not enforced: {listed(found)}",
            next(iter(found.values())),
            "a `testCommand` is run as a check; a validation of a task or a sprint that says `manual` asks a person",
            severity="info",
        )


def _prose(value: object, steps: Steps) -> Iterator[tuple[str, Steps]]:
    """Text, alone or in a list."""
    entries = [(each, (*steps, i)) for i, each in enumerate(value)] if isinstance(value, list) else [(value, steps)]
    for each, at in entries:
        if isinstance(each, str) and each.strip().casefold() not in _NOTHING:
            yield each, at


def _asks(text: str) -> bool:
    return _BY_HAND.search(" ".join(text.split())) is not None


def _inside(reading: Reading, value: object, steps: Steps, task: str, depth: int = 0) -> Iterator[tuple[Check, Steps]]:
    if depth >= _MAX_DEPTH:
        return
    if isinstance(value, list):
        for i, each in enumerate(value):
            yield from _inside(reading, each, (*steps, i), task, depth + 1)
    elif isinstance(value, dict):
        keys = [key for key in value if fold(key) in _INSIDE and value[key]]
        for key in keys:
            yield from _commands(reading, value[key], (*steps, key), task)
        if not keys and str(value.get("type", "")).strip().casefold() == "manual":
            words = {key: plain(each) for key, each in value.items() if key != "type"}
            yield from checks(reading, {"type": "manual", **words}, steps, task)
        for key, each in value.items():
            if key not in keys and isinstance(each, dict | list):
                yield from _inside(reading, each, (*steps, key), task, depth + 1)


def _commands(reading: Reading, value: object, steps: Steps, task: str) -> Iterator[tuple[Check, Steps]]:
    commands = [x for x in (value if isinstance(value, list) else [value]) if isinstance(x, str) and x.strip()]
    if commands:
        yield from checks(reading, {"type": "command", "commands": commands}, steps, task)


def _plain_keys(values: Mapping[str, object]) -> list[str]:
    return [
        f"`{shown(key, 40)}`"
        for key, value in values.items()
        if isinstance(value, str | int | float) and fold(key) not in {*_INSIDE, *_KEPT}
    ]
