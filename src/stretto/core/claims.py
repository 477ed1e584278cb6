"""Who holds which paths (R2.1). A claim is held whole or not at all, so nobody ever waits while holding half."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stretto.analysis.globs import is_literal, overlap, parse


class Claims(msgspec.Struct):
    """Patterns held by active tasks. Literals are found by their folders; globs are few at a time, and scanned."""

    held: dict[str, list[int]] = {}
    """Pattern to the tasks that hold it; more than one only through drift (R2.6)."""
    of: dict[int, tuple[str, ...]] = {}
    globs: dict[str, None] = {}
    """The held patterns that are no literals, in the order they were taken."""
    at: dict[str, dict[str, None]] = {}
    """Folded path of each held literal to the spellings held; and, in `under`, each folder above it."""
    under: dict[str, dict[str, None]] = {}

    def blocker(self, patterns: tuple[str, ...], but: int = -1) -> str | None:
        """A held pattern that may meet one of `patterns`, of another task than `but`; None when there is none."""
        for pattern in patterns:
            others: Iterator[str] = iter(self.held)
            if is_literal(pattern):
                for other in self._literals(pattern):
                    if self._foreign(other, but):
                        return other
                others = iter(self.globs)
            for other in others:
                if self._foreign(other, but) and overlap(pattern, other):
                    return other
        return None

    def _literals(self, pattern: str) -> Iterator[str]:
        """Held literals that are equal to this one, above it, or beneath it."""
        path = _fold(pattern)
        for place in (path, *_folders(path)):
            yield from self.at.get(place, ())
        yield from self.under.get(path, ())

    def _foreign(self, pattern: str, but: int) -> bool:
        return any(holder != but for holder in self.held[pattern])

    def hold(self, index: int, patterns: tuple[str, ...]) -> None:
        """Add `patterns` to what the task holds."""
        for pattern in patterns:
            if pattern not in self.held:
                self.held[pattern] = []
                if is_literal(pattern):
                    path = _fold(pattern)
                    self.at.setdefault(path, {})[pattern] = None
                    for folder in _folders(path):
                        self.under.setdefault(folder, {})[pattern] = None
                else:
                    self.globs[pattern] = None
            if index not in self.held[pattern]:
                self.held[pattern].append(index)
        self.of[index] = tuple(dict.fromkeys((*self.of.get(index, ()), *patterns)))

    def release(self, index: int) -> list[str]:
        """Give back everything the task holds; the patterns that nobody holds any more."""
        freed = []
        for pattern in self.of.pop(index, ()):
            self.held[pattern].remove(index)
            if not self.held[pattern]:
                freed.append(pattern)
                self._forget(pattern)
        return freed

    def holders(self, pattern: str) -> list[int]:
        """Tasks that hold exactly this pattern."""
        return self.held.get(pattern, [])

    def _forget(self, pattern: str) -> None:
        del self.held[pattern]
        if pattern in self.globs:
            del self.globs[pattern]
            return
        path = _fold(pattern)
        for table, places in ((self.at, (path,)), (self.under, _folders(path))):
            for place in places:
                del table[place][pattern]
                if not table[place]:
                    del table[place]


def _fold(pattern: str) -> str:
    return parse(pattern).text


def _folders(path: str) -> tuple[str, ...]:
    """`a/b/c` gives `a/b` and `a`."""
    out = []
    cut = path.rfind("/")
    while cut > 0:
        out.append(path[:cut])
        cut = path.rfind("/", 0, cut)
    return tuple(out)
