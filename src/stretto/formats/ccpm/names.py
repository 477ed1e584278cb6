"""What a task is called by others: its file, the number of its issue, or its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from stretto.formats.ccpm.paper import Paper

_ISSUE = re.compile(r"/(?:issues|work_items|-/issues)/(\d+)/?$")
_WORD = re.compile(r"(?:(?:tasks?|issues?)[\s#:_-]*+|#)?(?P<id>[\w][\w.-]*?)(?:\.md)?(?=$|[\s(:,])", re.IGNORECASE)
_NONE = frozenset({"none", "null", "n/a", "na", "nil", "-", "~", "tbd", "nothing", "no"})


class Names:
    """Finds the task that a word means. The file's own name counts first."""

    def __init__(self, papers: Mapping[str, Paper]) -> None:
        self._ids = papers.keys()
        self._others: dict[str, str] = {}
        for id, paper in papers.items():
            for name in _aliases(paper):
                self._others.setdefault(name.casefold(), id)
        padded = {id.lstrip("0"): id for id in papers if id.startswith("0") and id.isdecimal()}
        self._padded = padded if not any(id.isdecimal() and not id.startswith("0") for id in papers) else {}

    def of(self, word: str) -> str | None:
        """The id that is meant, or the word itself where nobody is called so; None for a word that means nothing.

        `1` may mean `001`. The reverse is never guessed: after the numbers of issues have taken the place of those of
        files, `002` is not the second issue."""
        if word.casefold() in _NONE:
            return None
        found = _WORD.match(word)
        short = found["id"] if found else word
        for name in (word, short):
            if name in self._ids:
                return name
            if name.casefold() in self._others:
                return self._others[name.casefold()]
        return self._padded.get(short, short)

    def all(self, words: Iterable[str]) -> list[str | None]:
        return [self.of(word) for word in words]


def _aliases(paper: Paper) -> Iterator[str]:
    for key in ("id", "beads_id", "task_id", "issue", "title", "name"):
        if text := paper.front.text(key):
            yield text
    if issue := _ISSUE.search(paper.front.text("github") or paper.front.text("url")):
        yield issue[1]
