"""What waits for what in an epic: by its dependencies, and by the order of the file where it states none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from stretto.formats.cfn_epic.names import Names, is_called, listed
from stretto.formats.cfn_epic.outline import Node, fold, holders
from stretto.formats.reading import Reading, Table, shown
from stretto.formats.set_aside import Aside
from stretto.formats.syntax.source import Steps

DEPENDENCIES = ("dependencies", "dependson")
CROSS = "crossphasedependencies"
_LISTS = {"sprints", "phases", "tasks", "internal"}
_ID_KEYS = ("id", "sprintid", "phaseid", "taskid", "sprint", "phase", "task", "to", "name")
_NOTHING = {"", "none", "n/a", "-", "null"}
_SENTENCE = 5
"""A name of so many words is no id, but a sentence about the world around the epic."""
_MANY = 10_000
"""So many edges from one phase to another go through a join instead."""

Need = tuple[Node | str, Steps]
"""Who is waited for, or the name that nobody has; and where that stands."""
Edge = tuple[str, Steps]


class Order:
    """The waits of an epic. `about`: how messages call a node; `aside`: why no run does it, if so."""

    def __init__(
        self, reading: Reading, epic: Node, about: Callable[[Node], str], aside: Callable[[Node], Aside | None]
    ) -> None:
        self._reading, self._epic, self._about, self._aside = reading, epic, about, aside
        self.groups = list(epic.groups())
        self._outer = [x for x in epic.children if not x.is_group]
        self._parts = [x for group in self.groups for x in group.children]
        self._of_groups = Names([*self.groups, *self._outer])
        self._of_parts = Names(self._parts)
        self._guessed: list[tuple[str, str, Steps]] = []
        self.words: dict[Node, list[str]] = {}
        """Dependencies that are sentences about the world: for the prompt."""
        nodes = (*self._outer, *self.groups, *self._parts)
        self._stated = {kind: _usual([x for x in nodes if x.kind == kind]) for kind in ("phase", "sprint", "part")}
        self._needs: dict[Node, list[Need]] = {node: list(self._said(node)) for node in nodes}
        self._add_across()
        self._add_map()
        self._fill_in()
        self.joins: dict[Node, tuple[str, ...]] = {}
        """Phases that others wait for through a phase of their own, since both have many sprints."""
        self._exits: dict[Node, list[Node]] = {}
        self._tell_guesses()

    def is_chain(self, group: Node) -> bool:
        """Whether its parts run one after another, in the order of the file."""
        return group in self._chains

    def of_group(self, group: Node) -> list[Edge]:
        """The phases of the plan that it waits for: those it names, and what its own phase waits for."""
        found = self._edges(group, group)
        around = group.parent
        beside = any(isinstance(x, Node) and x.parent is around for x, _ in self._needs[group])
        if around in self._needs and not beside:  # else the sprint that it waits for has waited for that already
            found += self._edges(around, group)
        return _once(found)

    def of_task(self, task: Node) -> list[Edge]:
        """What a task waits for by itself: parts that it, or the sprint it is in, names, and whole sprints."""
        found: list[Edge] = []
        around = task if task.is_group else task.parent
        while around in self._needs:
            found += ((x.id, at) for x, at in self._needs[around] if isinstance(x, Node) and x.kind == "part")
            around = around.parent
        for need, at in self._needs[task] if task.kind == "part" else ():
            if isinstance(need, str):
                found.append((need, at))
            elif need.kind == "part" or need.is_group:
                found.append((need.id, at))
            else:
                found += ((x.id, at) for x in self._last_of(need))
        return _once(found)

    def _edges(self, node: Node, group: Node) -> list[Edge]:
        found: list[Edge] = []
        for need, steps in self._needs[node]:
            if isinstance(need, str):
                found.append((need, steps))
            elif need.is_group:
                if need is not group:
                    found.append((need.id, steps))
            elif need.kind != "part":  # those are waited for by each task
                last = self._last_of(need)
                if len(last) * len(group.parent.children if group.parent else ()) > _MANY:
                    if need not in self.joins:
                        self.joins[need] = tuple(x.id for x in last)
                    found.append((need.id, steps))
                else:
                    found += ((x.id, steps) for x in last)
        return found

    def _last_of(self, phase: Node) -> list[Node]:
        """The sprints of a phase that no other sprint of it waits for: with them, all are done."""
        if phase not in self._exits:
            members = [x for x in phase.children if self._aside(x) != "dropped"]
            waited = {x for child in members for x, _ in self._needs[child] if isinstance(x, Node)}
            self._exits[phase] = [x for x in members if x not in waited] or phase.children
        return self._exits[phase]

    def _said(self, node: Node) -> Iterator[Need]:
        for folded in (*DEPENDENCIES, CROSS):
            key = node.key(folded)
            if key is None:
                continue
            for name, steps in _names(Table(self._reading, node.steps, node.values, self._about(node)), key):
                yield from self._meant(name, node, steps)

    def _meant(self, name: str, who: Node, steps: Steps) -> Iterator[Need]:
        """Whom a name means; several, where it is a list with commas. Sentences are kept for the prompt."""
        first, second = (self._of_parts, self._of_groups) if who.kind == "part" else (self._of_groups, self._of_parts)
        around = who.parent
        meant = None
        if name not in (who.id, who.own_id) and (around is None or name not in (around.id, around.own_id)):
            meant = first.find(name, who) or second.find(name, who)
        if (meant is None or meant.guessed) and is_called(who, name):
            yield who.id, steps
        elif (meant is None or meant.guessed) and around is not None and is_called(around, name):
            return  # that a part waits for its whole says nothing
        elif meant is not None:
            if meant.guessed:
                self._guessed.append((name, meant.node.id, steps))
            if meant.node.parent is not who:
                yield meant.node, steps
        elif "," in name and len(name.split(",")) < 50:
            for piece in name.split(","):
                if piece.strip():
                    yield from self._meant(piece.strip(), who, steps)
        elif len(name.split()) >= _SENTENCE:
            self.words.setdefault(who, []).append(name)
            message = f"{self._about(who)} waits for {shown(name)!r}, which is nothing in this epic"
            hint = "it is told to the agent; no task waits for it"
            self._reading.report("dependency-in-words", message, steps, hint)
        else:
            yield name, steps

    def _add_across(self) -> None:
        """`crossPhaseDependencies` of the whole epic: `from` waits for `to`, as their descriptions say."""
        for holder in holders(self._epic):
            key = holder.key(CROSS)
            if key is None:
                continue
            table = Table(self._reading, holder.steps, holder.values, "the epic")
            for entry in table.tables(key, "dependency across phases"):
                keys = {fold(x): x for x in entry.values}
                ends = [entry.values[keys[end]] for end in ("from", "to") if end in keys]
                if len(ends) < 2 or not all(isinstance(x, str) and x.strip() for x in ends):
                    entry.missing("from", "write who waits as `from`, and for whom as `to`")
                    continue
                who, steps = str(ends[0]), (*entry.steps, keys["to"])
                found = self._of_groups.find(who, self._epic) or self._of_parts.find(who, self._epic)
                if found is None:
                    message = f"`from` names {shown(who)!r}, which is not in this epic"
                    at = (*entry.steps, keys["from"])
                    self._reading.report("unknown-id", message, at, "name a sprint or a phase", severity="error")
                    continue
                self._stated["phase"] = True
                self._needs[found.node] += self._meant(str(ends[1]), found.node, steps)

    def _add_map(self) -> None:
        """`dependencies` of the whole epic, where they are a mapping of its phases or sprints to what they need."""
        for holder in holders(self._epic):
            key = holder.key("dependencies")
            value = holder.values.get(key) if key else None
            if not isinstance(value, dict) or not key:
                continue
            table = Table(self._reading, (*holder.steps, key), value, f"`{key}`")
            for name in value:
                found = self._of_groups.find(name, self._epic)
                if found is not None and isinstance(value[name], str | int | list) and not found.guessed:
                    self._stated[found.node.kind] = True
                    for need, steps in _names(table, name):
                        self._needs[found.node] += self._meant(need, found.node, steps)

    def _fill_in(self) -> None:
        """The order of the file, on every level where nothing there or below says what waits for what."""
        across = self._stated["part"] and any(
            x.parent is not part.parent and x is not part.parent
            for part in self._parts
            for x, _ in self._needs[part]
            if isinstance(x, Node)
        )
        between = self._stated["sprint"] and any(
            isinstance(x, Node) and x.parent is not group.parent for group in self.groups for x, _ in self._needs[group]
        )
        unsaid: dict[str, list[Node]] = {"phases": [], "sprints": []}
        top = {x.kind for x in self._epic.children}
        flat = "sprint" if top == {"sprint"} else "phase"
        if not (self._stated[flat] or across or (flat == "phase" and between)):
            unsaid[f"{flat}s"] += self._one_by_one(self._epic)
        for phase in self._outer:
            if not (self._stated["sprint"] or across or flag(phase)):
                unsaid["sprints"] += self._one_by_one(phase)
        self._chains = {
            group
            for group in self.groups
            if len(group.children) > 1
            and flag(group) is not True
            and (flag(group) is False or not self._stated["part"])
            and not any(isinstance(x, Node) and x.parent is group for y in group.children for x, _ in self._needs[y])
        }
        parts = [x for x in self.groups if x in self._chains and flag(x) is None]
        for what, nodes in unsaid.items():
            if nodes:
                self._tell_unsaid(f"the {what} do not say what they wait for", nodes[0].steps)
        if parts:
            many = f"{len(parts)} {parts[0].kind}s do" if len(parts) > 1 else f"{self._about(parts[0])} does"
            self._tell_unsaid(f"{many} not say which parts wait for each other", parts[0].children[0].steps)

    def _one_by_one(self, around: Node) -> list[Node]:
        """Chain its children, unless one waits for another further down; those that wait for the one above now."""
        nodes = [x for x in around.children if self._aside(x) is None]
        place = {x: i for i, x in enumerate(nodes)}
        if any(place.get(x, -1) > place[y] for y in nodes for x, _ in self._needs[y] if isinstance(x, Node)):
            return []
        for before, later in pairwise(nodes):
            self._needs[later].append((before, later.steps))
        return nodes[1:]

    def _tell_unsaid(self, what: str, steps: Steps) -> None:
        hint = (
            'give each a list of `dependencies`, [] where it waits for nothing; or say `"parallelizable": true` around'
        )
        self._reading.report(
            "order-of-file", f"{what}: they run one after another, as in the file", steps, hint, severity="info"
        )

    def _tell_guesses(self) -> None:
        if self._guessed:
            told = dict.fromkeys(f"{shown(name, 40)!r} as {shown(id, 40)!r}" for name, id, _ in self._guessed)
            self._reading.report(
                "dependency-guessed",
                f"dependencies are named otherwise than anything is called here; read were {listed(told, 3)}",
                self._guessed[0][2],
                "write ids as they stand, with their phase before them where two are equal: phase-2/sprint-1",
                severity="info",
            )


def _once(edges: Sequence[Edge]) -> list[Edge]:
    first: dict[str, Steps] = {}
    for id, steps in edges:
        first.setdefault(id, steps)
    return list(first.items())


def _usual(nodes: Sequence[Node]) -> bool:
    """Whether it is the way of the file to say what these wait for: a single one that does proves nothing."""
    return bool(nodes) and 2 * sum(x.key(*DEPENDENCIES) is not None for x in nodes) >= len(nodes)


def flag(node: Node) -> bool | None:
    """Whether it says that what is in it may run side by side."""
    for key in ("parallelizable", "parallelism", "parallel", "parallelsafe", "parallelexecution"):
        value = node.get(key)
        if isinstance(value, bool):
            return value
    return None


def _names(table: Table, key: str) -> Iterator[tuple[str, Steps]]:
    """The names in a list of dependencies, or in one of its odder shapes."""
    yield from _flat(table, key, table.values[key], ())


def _flat(table: Table, key: str, value: object, more: tuple[str | int, ...]) -> Iterator[tuple[str, Steps]]:
    steps = (*table.steps, key, *more)
    match value:
        case None:
            return
        case str():
            if value.strip().casefold() not in _NOTHING:
                yield value.strip(), steps
        case bool():
            table.wrong(key, "a list of ids", value, *more)
        case int():
            yield str(value), steps
        case float():
            yield table.reading.source.written(steps), steps
        case list() if len(more) < 2:
            for i, each in enumerate(value):
                yield from _flat(table, key, each, (*more, i))
        case dict() if not more:
            for name, each in value.items():
                if fold(name) in _LISTS:
                    yield from _flat(table, key, each, (name,))
        case dict() if (id := _id_in(value)) is not None:
            yield from _flat(table, key, value[id], (*more, id))
        case _:
            table.wrong(key, "a list of ids", value, *more)


def _id_in(value: Mapping[str, object]) -> str | None:
    keys = {fold(key): key for key in value}
    return next((keys[x] for x in _ID_KEYS if x in keys and isinstance(value[keys[x]], str | int | float)), None)
