"""Plan files broken on purpose: values retyped, keys lost and renamed, entries doubled, ids swapped, lines mixed up."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

from stretto.formats.syntax.parse import parse
from unit.formats.corpus import samples

Steps = tuple[str | int, ...]

_RAW = "\ue000"
"""Marks text that stands in the file without quotes: what no JSON library would write."""
ODD: tuple[object, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, 1e300, "", " ", "x", "a\tb", "\x00", "é𝔘", "1", "p", "../../etc/passwd", "1.1"),
    *([], [[]], [None], ["x", 1], {}, {"a": 1}, {"id": "x"}, [{"id": "x"}], "`" * 60, "\u2028"),
    *(_RAW + number for number in ("1e400", "-1e400", "NaN", "Infinity", "1e-400", "9" * 5_000, "1.10", "-0", "0x1")),
    *(_RAW + "[" * 3_000 + "]" * 3_000, _RAW + '{"id":' * 300 + "1" + "}" * 300),
)
_KEYS = ("id", "phase", "subtasks", "tasks", "verify", "status", "dependencies", "Ω", "")
_MOST_CHANGES = 3
_SNIPPETS = (
    *("- [ ] T001 again", "  - [x] T002a part", "- [?] T003 odd", "1. [ ] T9999999999999 big", "* [] T-1"),
    *("- [ ] TXXX left", "## Phase 1: Again", "#", "### Tests", "```", "~~~~", "<!--", "-->", "---", "> - [ ] T011"),
    *(
        "\t\t- [ ] T010 tabs",
        "(depends on T004-T001)",
        "- **US1**: Depends on US2",
        "**Dependencies**: Phase 9, Phase 1",
    ),
    *("\u2028", "\ufeff", "`" * 40, "[P]" * 50, "- [ ] T005 [US99999] [P] [x] (P) in ../../etc/passwd", "\r"),
    *("- [ ] T006 " + "a/" * 300 + "b.py", "{", "}", "null", "[]", '{"id": 1e400}', "&a", "*a", "key: value", "= 1"),
    *("- [ ]* 1.1 maybe", "- [ ] 99999999999999999999.1 big", "  - _Requirements: 1.1_", " " * 300 + "- [ ] deep"),
)


def mutants(path: Path, count: int) -> Iterator[bytes]:
    """So many broken copies of one file; the same ones every time."""
    chance = random.Random(f"{path.parent.name}/{path.name}")
    ways = _ways(path)
    for i in range(count):
        yield ways[i % len(ways)](chance)


def _ways(path: Path) -> list[Callable[[random.Random], bytes]]:
    data = path.read_bytes()
    lines = data.decode().split("\n")

    def mixed_lines(chance: random.Random) -> bytes:
        mutant = lines
        for _ in range(chance.randrange(1, 6)):
            mutant = mixed(mutant, chance)
        return "\n".join(mutant).encode()

    match path.suffix:
        case ".jsonl":
            return [_records(lines), mixed_lines]
        case ".md":
            return [mixed_lines]
        case ".json":
            return [_trees(parse(path.name, data).tree)]
        case _:
            return [_trees(parse(path.name, data).tree), mixed_lines]


def _trees(tree: object) -> Callable[[random.Random], bytes]:
    steps, parts = list(places(tree)), _parts(tree)

    def mutant(chance: random.Random) -> bytes:
        copy = tree
        for _ in range(chance.randrange(1, _MOST_CHANGES + 1)):
            copy = changed(copy, chance.choice(steps), chance, parts)
        return written(copy, chance)

    return mutant


def _records(lines: list[str]) -> Callable[[random.Random], bytes]:
    """One or two records changed, of a file that has one a line."""
    full = [i for i, line in enumerate(lines) if line.strip().startswith("{")]
    parts = _parts([json.loads(lines[i]) for i in full])

    def mutant(chance: random.Random) -> bytes:
        copy = list(lines)
        for _ in range(chance.randrange(1, _MOST_CHANGES)):
            at = chance.choice(full)
            tree = json.loads(lines[at])
            copy[at] = written(
                changed(tree, chance.choice(list(places(tree))), chance, parts), chance, flat=True
            ).decode()
        return "\n".join(copy).encode()

    return mutant


def places(value: object, steps: Steps = ()) -> Iterator[Steps]:
    yield steps
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*steps, key))


def _parts(tree: object) -> list[object]:
    """Every scalar of a document: ids among them, so that one put in place of another plants a cycle or a twin."""
    if isinstance(tree, dict | list):
        return [part for child in (tree.values() if isinstance(tree, dict) else tree) for part in _parts(child)]
    return [tree]


def changed(tree: object, steps: Steps, chance: random.Random, parts: list[object]) -> object:
    """A copy with one value retyped, dropped, doubled, renamed, wrapped, or with one of `parts` in its place.

    The tree itself where an earlier change has taken that place away."""
    if not steps:
        return chance.choice(ODD)
    copy: Any = json.loads(json.dumps(tree))
    holder, last = copy, steps[-1]
    try:
        for step in steps[:-1]:
            holder = holder[step]
        value = holder[last]
    except (LookupError, TypeError):
        return cast(object, copy)
    if isinstance(holder, str):
        return cast(object, copy)
    match chance.randrange(6):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, list):
            holder.append(value)
        case 2 if isinstance(holder, dict):
            holder[chance.choice([*_KEYS, *holder])] = holder.pop(last)
        case 3:
            holder[last] = chance.choice(parts or [None])
        case 4:
            holder[last] = chance.choice(([value], {"id": value}, str(value), [value, value]))
        case _:
            holder[last] = chance.choice(ODD)
    return cast(object, copy)


def written(tree: object, chance: random.Random, *, flat: bool = False) -> bytes:
    """The tree as JSON, as one of many tools writes it."""
    indent = None if flat else chance.choice((None, 1, "\t"))
    text = json.dumps(tree, ensure_ascii=chance.random() < 0.2, indent=indent)
    text = re.sub(r'"(?:\ue000|\\ue000)((?:[^"\\]|\\.)*)"', lambda found: found[1].replace('\\"', '"'), text)
    return text.encode("utf-8", "surrogatepass")


@cache
def _foreign_lines() -> tuple[str, ...]:
    """What other samples of every format say."""
    texts = (path.read_text(encoding="utf-8") for path in samples() if path.suffix == ".md")
    return tuple(line for text in texts for line in text.split("\n") if line.strip())


def mixed(lines: list[str], chance: random.Random) -> list[str]:
    """A copy with a line lost, doubled, moved, cut off, indented, joined with the next, or put in."""
    copy = list(lines)
    at = chance.randrange(len(copy))
    match chance.randrange(8):
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
        case 6:
            copy.insert(at, chance.choice(_foreign_lines()))
        case _:
            copy.insert(at, chance.choice(_SNIPPETS))
    return copy or [""]
