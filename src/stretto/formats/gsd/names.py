"""Which plan a `depends_on` means: `01-02`, `02` of the own phase, `01-schema-02`, `01-schema/02`, `01-02-PLAN.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stretto.formats.gsd.folder import phase_number
from stretto.formats.gsd.paper import Paper

_SUFFIX = re.compile(r"(?:-(?:PLAN|SUMMARY))?(?:\.md)?$", re.IGNORECASE)
_PAIR = re.compile(r"(?P<phase>.+?)[-/](?P<plan>[A-Za-z]{0,3}\d{1,6}[A-Za-z]?)")
_PHASE = re.compile(r"phase[\s_-]*(?P<name>\d+(?:\.\d+)*[a-z]?(?:-[\w-]+)?)", re.IGNORECASE)
_NONE = frozenset({"none", "null", "n/a", "-", "nothing"})

Found = tuple[str, str]
"""(`plan`, id), (`phase`, number), (`other`, phase number) for a plan of a phase not read, or (`nobody`, word)."""


class Names:
    """All plans that are read, by phase and number."""

    def __init__(self, phases: Mapping[str, Iterable[Paper]]) -> None:
        self._ids: dict[str, str] = {}
        self._pairs: dict[tuple[str, str], str] = {}
        self._phases = set(phases)
        for number, papers in phases.items():
            for paper in papers:
                self._ids.setdefault(paper.id.casefold(), paper.id)
                for plan in (paper.number, paper.id.rpartition("-")[2]):
                    self._pairs.setdefault((number, _plain(plan)), paper.id)

    def of(self, word: str, phase: str) -> Found | None:
        """Who is meant from within a phase; None for a word that means nothing."""
        word = _SUFFIX.sub("", word.strip().strip("`").rstrip("/")).rpartition(".planning/phases/")[2]
        if not word or word.casefold() in _NONE:
            return None
        if (id := self._ids.get(word.casefold())) is not None:
            return ("plan", id)
        if (id := self._pairs.get((phase, _plain(word)))) is not None:
            return ("plan", id)
        if whole := _PHASE.fullmatch(word):
            return ("phase", phase_number(whole["name"]))
        if pair := _PAIR.fullmatch(word):
            number = phase_number(re.sub(r"^phase[\s_-]*", "", pair["phase"], flags=re.IGNORECASE))
            if (id := self._pairs.get((number, _plain(pair["plan"])))) is not None:
                return ("plan", id)
            if number not in self._phases and re.fullmatch(r"\d+(?:\.\d+)*", number):
                return ("other", number)
        return ("nobody", word)


def _plain(plan: str) -> str:
    return re.sub(r"^0+(?=\d)", "", plan.strip()).casefold()
