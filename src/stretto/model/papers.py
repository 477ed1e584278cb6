"""The papers of a `parallel.json`'s folder: what they are called, whose they are, and how far they say it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from stretto.model.names import task_dir
from stretto.model.plan import Value

Step = Literal["complete", "skipped", "failed", "execution_created", "subplan_created", "not_started"]
SETTLED: Final[frozenset[Step]] = frozenset({"complete", "skipped"})
"""Steps after which there is nothing to do."""
PAPERS = "subplans"
"""What the plan of a run has as its format that writes a batch of papers."""

_KEY = r"(?P<key>[0-9a-z]+(?:-[0-9a-z]+)*)"
_KINDS: tuple[tuple[Step, str, re.Pattern[str]], ...] = (
    ("complete", "execution/feedbacks", re.compile(rf"APPROVED_{_KEY}\.md")),
    ("skipped", "execution", re.compile(rf"SKIPPED_{_KEY}\.md")),
    ("failed", "execution/feedbacks", re.compile(rf"FIX_{_KEY}\.md")),
    ("execution_created", "execution", re.compile(rf"EXECUTION_TASK_(?P<name>.+)_{_KEY}_(?P<number>\d+)\.md")),
    ("subplan_created", "subplans", re.compile(rf"SUBPLAN_(?P<name>.+)_{_KEY}\.md")),
)
"""The first kind of paper that is there is how far an achievement is. What is final comes first: what somebody has
skipped stays skipped, however far it had come."""
FOLDERS = tuple(dict.fromkeys(folder for _, folder, _ in _KINDS))
"""Relative to the plan file."""
_OWN_WORD = re.compile(r"Achievement[\s*_:]+(\d+(?:\.\d+)+)", re.IGNORECASE)


class Paper(Value, frozen=True, kw_only=True):
    step: Step
    path: str
    """Relative to the plan file."""
    key: str
    """The id as file names have it."""
    name: str | None = None
    """The plan that it says it belongs to, where papers of its kind say that."""
    number: int = 0
    """Which execution of the achievement, from 1."""


def paper_of(folder: str, name: str) -> Paper | None:
    """The paper that a file of this folder is; None for any other file."""
    for step, place, pattern in _KINDS:
        found = pattern.fullmatch(name) if place == folder else None
        if found is not None:
            said = found.groupdict()
            number = int((said.get("number") or "0")[:9])
            return Paper(step=step, path=f"{folder}/{name}", key=said["key"], name=said.get("name"), number=number)
    return None


def step_of(papers: Iterable[Paper]) -> Step:
    """How far an achievement is, by the papers that it has."""
    steps = {paper.step for paper in papers}
    return next((step for step, _, _ in _KINDS if step in steps), "not_started")


class Known(Value, frozen=True, kw_only=True):
    """What tells how far an achievement or a part is."""

    papers: tuple[Paper, ...] = ()
    """Those of its own id."""
    said: Step | None = None
    """The plan file's word, which counts where no paper tells of it."""
    number: int = 0
    """Of a part: which execution of its achievement is its own."""


def steps_of(whole: Known, parts: Sequence[Known] = ()) -> tuple[Step, tuple[Step, ...]]:
    """How far an achievement is, and each of its parts in their order. What settles the whole settles each part.

    A SUBPLAN of the whole says nothing of a part; a FIX does, and the execution of the part's number."""
    told = bool(whole.papers) or any(part.papers for part in parts)
    step = step_of(whole.papers) if told else whole.said or "not_started"
    if step in SETTLED:
        return step, (step,) * len(parts)
    settled = whole.said if whole.said in SETTLED and not whole.papers else None
    return step, tuple(_step_of_part(part, whole, settled) for part in parts)


def _step_of_part(part: Known, whole: Known, settled: Step | None) -> Step:
    """`settled`: what the file says of the whole, which no paper denies."""
    mine = [
        paper
        for paper in whole.papers
        if paper.step == "failed" or (paper.step == "execution_created" and paper.number == part.number)
    ]
    papers = (*part.papers, *mine)
    return step_of(papers) if papers else part.said or settled or "not_started"


def short_key(id: str) -> str:
    """The id without its dots, as the format has it: 1.12 and 11.2 share it."""
    return id.replace(".", "")


def exact_key(id: str) -> str:
    """A key that no other id has: 1-12 and 11-2. Ids that are no numbers end in a hash."""
    return id.replace(".", "-") if re.fullmatch(r"\d+(?:\.\d+)*", id) else task_dir(id)


def own_word(text: str) -> str:
    """The achievement that a paper says it is about; empty where it names none."""
    found = _OWN_WORD.search(text)
    return found[1] if found else ""


class Keys:
    """Which ids of a plan share file names, and what new papers are called so that they do not."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._times = Counter(short_key(id) for id in dict.fromkeys(ids))

    def is_shared(self, id: str) -> bool:
        return self._times[short_key(id)] > 1

    def knows(self, id: str) -> bool:
        """Whether some id of the plan has the same short key."""
        return short_key(id) in self._times

    def new(self, id: str) -> str:
        """The format's own key where it is unique and a number, else an exact one."""
        short = short_key(id)
        return short if short.isdecimal() and short.isascii() and not self.is_shared(id) else exact_key(id)


def subplan_path(plan: str, key: str) -> str:
    return f"subplans/SUBPLAN_{plan}_{key}.md"


def execution_path(plan: str, key: str, number: int) -> str:
    return f"execution/EXECUTION_TASK_{plan}_{key}_{number:02d}.md"


def approval_path(key: str) -> str:
    return f"execution/feedbacks/APPROVED_{key}.md"


def part_number(id: str, index: int) -> int:
    """The number of a part's execution: the last piece of its id, else its place among the parts, from 1."""
    last = id.rpartition(".")[2]
    return int(last) if last.isdecimal() and len(last) < 9 else index + 1
