"""Whatever is in a file, reading it ends in a plan or in a PlanError whose findings have a place."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from stretto.analysis.graph import build
from stretto.errors import PlanError
from stretto.formats.load import load
from stretto.formats.syntax.parse import parse
from unit.formats.corpus import everything

SMALL = 6_000
MUTANTS = {"ci": 2_000, "search": 20_000}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 200)
"""Of each format, shared among its samples."""
ODD: tuple[object, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, 1e300, "", " ", "x", "a\tb", "\x00", "é𝔘", "1", "p"),
    *([], [[]], [None], ["x", 1], {}, {"a": 1}, {"id": "x"}, [{"id": "x"}]),
)


def survives(data: bytes) -> None:
    try:
        loaded = load("plan", data)
    except PlanError as error:
        assert error.findings
        assert all(x.location and x.message for x in error.findings)
        assert "\n" not in str(error)
        return
    build(loaded.plan)
    names = [*loaded.places, *(f"task:{task.id}:writes:0" for task in loaded.plan.tasks), "plan"]
    assert all(loaded.places[name].line > 0 for name in names)
    if loaded.write_statuses:
        loaded.write_statuses(data, {task.id: "succeeded" for task in loaded.plan.tasks})


def places(value: object, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield steps
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*steps, key))


def changed(tree: object, steps: tuple[str | int, ...], chance: random.Random) -> object:
    """A copy with one value retyped, dropped, doubled, or put elsewhere."""
    if not steps:
        return chance.choice(ODD)
    copy = json.loads(json.dumps(tree))
    holder = copy
    for step in steps[:-1]:
        holder = holder[step]
    last = steps[-1]
    match chance.randrange(4):
        case 0 if isinstance(holder, dict):
            del holder[last]
        case 1 if isinstance(holder, list):
            holder.append(holder[int(last)])
        case 2 if isinstance(holder, dict):
            holder[chance.choice(["id", "phase", "subtasks", "tasks", "verify", "status", "Ω"])] = holder.pop(last)
        case _:
            holder[last] = chance.choice(ODD)
    return copy


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.name)
def test_cut_off_anywhere(path: Path) -> None:
    data = path.read_bytes()
    for end in range(0, len(data), 97):
        survives(data[:end])


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.name)
def test_flipped_bytes(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(path.name)
    for _ in range(40):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] = chance.choice((chance.randrange(256), *b'{}[]",:\\\n-&*'))
        survives(bytes(broken))


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.name)
def test_values_of_other_types(path: Path) -> None:
    tree, chance = parse("plan", path.read_bytes()).tree, random.Random(path.name)
    steps = list(places(tree))
    for _ in range(60):
        survives(json.dumps(changed(tree, chance.choice(steps), chance), ensure_ascii=False).encode("utf-8"))


@pytest.mark.parametrize("path", [x for x in everything() if x.stat().st_size < SMALL], ids=lambda path: path.name)
def test_every_value_of_a_sample_retyped(path: Path) -> None:
    tree, chance = parse("plan", path.read_bytes()).tree, random.Random(path.name)
    for steps in places(tree):
        for _ in range(4):
            survives(json.dumps(changed(tree, steps, chance)).encode())


LISTS = [path for path in everything() if path.suffix == ".md"]
SNIPPETS = (
    *(
        "- [ ] T001 again",
        "  - [x] T002a part",
        "- [?] T003 odd",
        "1. [ ] T9999999999999 big",
        "* [] T-1",
        "- [ ] TXXX left",
    ),
    *(
        "## Phase 1: Again",
        "#",
        "### Tests",
        "```",
        "~~~~",
        "<!--",
        "-->",
        "---",
        "\t\t- [ ] T010 tabs",
        "> - [ ] T011",
    ),
    *(
        "(depends on T004-T001)",
        "- **US1**: Depends on US2",
        "**Dependencies**: Phase 9, Phase 1",
        "\u2028",
        "\ufeff",
        "`" * 40,
    ),
    *("[P]" * 50, "- [ ] T005 [US99999] [P] [x] (P) in ../../etc/passwd", "- [ ] T006 " + "a/" * 300 + "b.py", "\r"),
)


def mixed(lines: list[str], chance: random.Random) -> list[str]:
    """A copy with a line lost, doubled, moved, cut off, indented, joined with the next, or put in."""
    copy = list(lines)
    at = chance.randrange(len(copy))
    match chance.randrange(7):
        case 0:
            del copy[at]
        case 1:
            copy.insert(chance.randrange(len(copy)), copy[at])
        case 2:
            copy.insert(chance.randrange(len(copy)), copy.pop(at))
        case 3:
            copy[at] = copy[at][: chance.randrange(len(copy[at]) + 1)]
        case 4:
            copy[at] = " " * chance.randrange(1, 9) + copy[at]
        case 5:
            copy[at : at + 2] = ["".join(copy[at : at + 2])]
        case _:
            copy.insert(at, chance.choice(SNIPPETS))
    return copy or [""]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_lines_of_a_list_mixed_up(path: Path) -> None:
    chance = random.Random(path.name)
    lines = path.read_text().split("\n")
    for _ in range(-(-MUTANTS // len(LISTS))):
        mutant = lines
        for _ in range(chance.randrange(1, 6)):
            mutant = mixed(mutant, chance)
        survives("\n".join(mutant).encode())
