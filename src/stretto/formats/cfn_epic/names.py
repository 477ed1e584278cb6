"""Which sprint, phase or part an epic means by a name: ids are relative to where they stand, and spelled freely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import islice

from stretto.formats.cfn_epic.outline import NAMES, Node
from stretto.model.plan import Value

_KINDS = ("phase", "sprint", "task")
_WITHIN = re.compile(r"\s*(?:/|::|>|→)\s*")
_TAIL = re.compile(r"\s+[-–—:(]|[:(]")
_MAX_STEMS = 6


class Meant(Value, frozen=True, kw_only=True):
    """What a name means; `guessed` if it is only the beginning of a name, or several have it."""

    node: Node
    guessed: bool = False


@lru_cache(maxsize=10_000)
def norm(text: str) -> str:
    """A name without case, and with one kind of dash."""
    return re.sub(r"[\s_-]+", "-", text.strip().casefold()).strip("-")


class _Index:
    """Nodes by a name, and by what is around them."""

    def __init__(self, nodes: Iterable[Node], names: Callable[[Node], Iterable[str]]) -> None:
        self._found: dict[tuple[Node | None, str], list[Node]] = {}
        for node in nodes:
            for name in dict.fromkeys(names(node)):
                around = node.parent
                while around is not None:
                    self._found.setdefault((around, name), []).append(node)
                    around = around.parent
                self._found.setdefault((None, name), []).append(node)

    def all(self, name: str) -> Sequence[Node]:
        return self._found.get((None, name), ())

    def near(self, name: str, who: Node) -> Sequence[Node]:
        """The first two of those in the same sprint, else in the same phase, else of all; not `who`, and not what it
        is in."""
        around: Node | None = who
        while True:
            others = (x for x in self._found.get((around, name), ()) if x is not who and not _is_in(who, x))
            found = list(islice(others, 2))
            if found or around is None:
                return found
            around = around.parent


class Names:
    """An index of the nodes by everything that a dependency may call them."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = list(nodes)
        self._exact = _Index(self._nodes, lambda x: (x.id, x.own_id))

    @cached_property
    def _loose(self) -> _Index:
        """By other spellings; most files need none."""
        return _Index(self._nodes, _spellings)

    @cached_property
    def _stems(self) -> _Index:
        return _Index(self._nodes, lambda x: _stems(norm(x.own_id)))

    def find(self, name: str, who: Node) -> Meant | None:
        """What `name` means in what `who` says: the nearest of those that have it, never itself or what it is in."""
        whole = self._plain(name, who)
        if whole is not None:
            return whole
        *around, last = _WITHIN.split(name.strip())
        if around and last:
            return self._inside(around, last, who)
        head = _TAIL.split(name.strip(), maxsplit=1)[0]
        found = self._plain(head, who) if head != name.strip() else None
        return Meant(node=found.node, guessed=True) if found else None

    def _plain(self, name: str, who: Node) -> Meant | None:
        looks: tuple[Callable[[], Sequence[Node]], ...] = (
            lambda: self._exact.near(name, who),
            lambda: self._exact.near(name.strip(), who),
            lambda: self._loose.near(norm(name), who),
            lambda: self._stems.near(norm(name), who),
        )
        for look in looks:
            if found := look():
                return Meant(node=found[0], guessed=look is looks[-1] or len(found) > 1)
        return None

    def _inside(self, around: Sequence[str], last: str, who: Node) -> Meant | None:
        """`phase-2/sprint-2.2`: the second within the first, where the first is known; else the second alone."""
        spelled = norm(last)
        named = self._exact.all(last) or self._loose.all(spelled) or self._stems.all(spelled)
        candidates = [x for x in named if x is not who]
        holder = norm(around[-1])
        fitting = [x for x in candidates if x.parent is not None and _begins(x.parent, holder)]
        if fitting:
            return Meant(node=fitting[0], guessed=len(fitting) > 1)
        return Meant(node=candidates[0], guessed=True) if len(candidates) == 1 else None


def _is_in(node: Node, other: Node) -> bool:
    around = node.parent
    while around is not None and around is not other:
        around = around.parent
    return around is other


def is_called(node: Node, name: str) -> bool:
    """Whether it is one of its ids or names, however spelled."""
    return name in (node.id, node.own_id) or norm(name) in _spellings(node)


def _begins(node: Node, spelled: str) -> bool:
    return spelled in _spellings(node) or spelled in _stems(norm(node.own_id))


def _spellings(node: Node) -> Iterator[str]:
    """Ids with and without the word for their kind, numbers, and names."""
    kind = node.kind if node.kind != "part" else "task"
    for id in dict.fromkeys((node.own_id, node.id)):
        spelled = norm(id)
        yield spelled
        bare = next((spelled[len(x) + 1 :] for x in _KINDS if spelled.startswith(f"{x}-")), spelled)
        yield bare
        yield f"{kind}-{bare}"
    for key in (f"{kind}number", "number"):
        number = node.get(key)
        if isinstance(number, int | str) and not isinstance(number, bool):
            yield norm(str(number))
            yield f"{kind}-{norm(str(number))}"
    for key in NAMES:
        name = node.get(key)
        if isinstance(name, str) and name.strip():
            yield norm(name)


def _stems(spelled: str) -> Iterator[str]:
    """The beginnings of an id, up to a dash: `phase-1` of `phase-1-core`, but not `phase` alone."""
    words = spelled.split("-")[:_MAX_STEMS]
    for n in range(1, len(words)):
        stem = "-".join(words[:n])
        if any(x.isdigit() for x in stem):
            yield stem


def listed(names: Mapping[str, object] | Sequence[str], limit: int = 4) -> str:
    """The first few of some names, and how many more there are."""
    some = list(names)
    return ", ".join(some[:limit]) + (f" and {len(some) - limit} more" if len(some) > limit else "")
