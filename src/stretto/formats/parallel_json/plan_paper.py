"""`PLAN_{name}.md`: what the plan in words says of each achievement."""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(
    r"(?:(?P<hashes>\#{1,6})[ \t]++(?:\W*Achievement[ \t]+)?|(?:[-*][ \t]+)?\*\*\W*Achievement[ \t]+)"
    r"(?P<id>\d+\.\d+)(?![\w.])(?P<rest>.*)",
    re.IGNORECASE,
)
"""A heading about an achievement, or a line in bold that stands for one."""
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_RULE = re.compile(r"[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_LEDGER = re.compile(r"\b(?:tracking|index|status|handoff|progress|summary)\b", re.IGNORECASE)
"""Sections that keep count of the work and do not tell of it."""
_GOAL = re.compile(r"\W*(?:primary\s+)?(?:goal|objective)s?\W*", re.IGNORECASE)
_DECORATION = re.compile(r"[*_`]+|(?<!\s)\s*(?:⏱.*$|\(\s*+~?[\d.\s–-]++h(?:ours?)?\s*\)\s*$)")
_MAX_SECTION = 20_000
_MAX_GOAL = 4_000


class PlanPaper:
    """The sections of one text, each read once."""

    def __init__(self, text: str) -> None:
        self._told: dict[str, tuple[bool, str]] = {}
        """Whether it tells of the work, and what it says."""
        self._titles: dict[str, str] = {}
        self.goal = ""
        for id, title, tells, body in _sections(text):
            if not id:
                self.goal = self.goal or _clipped(body, _MAX_GOAL)
                continue
            self._titles.setdefault(id, title)
            rank = (tells and bool(body), len(body))
            before = self._told.get(id, (False, ""))
            if rank > (before[0], len(before[1])):
                self._told[id] = (rank[0], body)

    def title(self, id: str) -> str:
        return self._titles.get(id, "")

    def section(self, id: str) -> str:
        """The one that tells most; empty where nothing is said of it."""
        return _clipped(self._told.get(id, (False, ""))[1], _MAX_SECTION)


def _sections(text: str) -> Iterator[tuple[str, str, bool, str]]:
    """(id, title, whether it tells of the work, body) of achievements; and without an id the plan's goal."""
    id, title, level, fence = "", "", 0, ""
    above: list[tuple[int, str]] = []
    body: list[str] = []
    is_open = False

    def done() -> tuple[str, str, bool, str]:
        tells = not any(_LEDGER.search(heading) for _, heading in above)
        return id, title, tells, "\n".join(body).strip()

    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        else:
            heading, start = _HEADING.match(line), _START.match(line)
            ends = (
                start or (heading and (not level or len(heading[1]) <= level)) or (not level and _RULE.fullmatch(line))
            )
            if is_open and ends:
                yield done()
                is_open = False
            if heading:
                above = [one for one in above if one[0] < len(heading[1])]
            if start:
                is_open, body = True, []
                id, title, level = start["id"], _title(start["rest"]), len(start["hashes"] or "")
                continue
            if heading:
                above.append((len(heading[1]), heading[2]))
                if _GOAL.fullmatch(heading[2]) and not is_open:
                    is_open, body = True, []
                    id, title, level = "", "", len(heading[1])
                    continue
        if is_open:
            body.append(line)
    if is_open:
        yield done()


def _title(rest: str) -> str:
    rest = _DECORATION.sub("", rest).strip()
    return rest.lstrip(":-–—.) ").strip()


def _clipped(text: str, most: int) -> str:
    lines = re.sub(r"\n{3,}", "\n\n", text).split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or _RULE.fullmatch(lines[-1])):
        lines.pop()  # what parts it from the next
    text = "\n".join(lines).strip()
    return text if len(text) <= most else text[: most - 1] + "…"
