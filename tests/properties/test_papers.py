"""Papers of any plan: names of their own, content or a word about it, and nothing is left when they are taken back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stretto.model.achievements import Achievement, Achievements
from stretto.recipes.subplans.advice import advice, opportunities, whole
from stretto.recipes.subplans.batch import ALL, Note, batch
from stretto.recipes.subplans.filling import filled
from stretto.recipes.subplans.folder import Look, look
from stretto.recipes.subplans.placeholder import is_placeholder
from stretto.recipes.subplans.progress import progress_of
from stretto.recipes.subplans.writing import Writing

IDS = st.one_of(st.from_regex(r"[1-3]{1,2}\.[1-3]{1,2}", fullmatch=True), st.sampled_from(["a", "A", "ä b", "1-1"]))
PIECES = st.sampled_from(
    [
        "- **Goal**: x",
        "- **Deliverables**:",
        "  1. `a`",
        "",
        "[TO BE FILLED]",
        "```",
        "## Approach",
        "**Tests**:",
        "word",
    ]
)


@st.composite
def plans(draw: st.DrawFn) -> Achievements:
    ids = draw(st.lists(IDS, unique=True, min_size=1, max_size=8))
    achievements = tuple(
        Achievement(
            id=id,
            title=draw(st.sampled_from(["", "Do it"])),
            depends_on=tuple(draw(st.lists(st.sampled_from([*ids, "9.9"]), unique=True, max_size=3))),
            section="\n".join(draw(st.lists(PIECES, max_size=6))),
        )
        for id in ids
    )
    return Achievements(name="P", file="parallel.json", achievements=achievements)


@given(plans())
def test_every_achievement_gets_papers_of_its_own_or_a_word_why_not(plan: Achievements) -> None:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        writing = Writing(home)
        notes: set[tuple[str, str]] = set()
        for kind in ("subplans", "executions"):
            progress = progress_of(plan, look(home, plan), now=0.0)
            wanted = batch(progress, kind, ALL)
            assert len({item.path for item in wanted.make}) == len(wanted.make)
            notes |= {(note.id, kind) for note in wanted.missing}
            for item in wanted.make:
                text = filled(home, progress, item, today="d")
                if isinstance(text, Note):
                    notes.add((item.id, kind))
                else:
                    assert not is_placeholder(text) and writing.create(item.path, text)
        after = progress_of(plan, look(home, plan), now=0.0)
        for one in after.standings:
            assert (one.subplan is None) == ((one.id, "subplans") in notes)
            assert (not one.executions) == ((one.id, "executions") in notes)
            assert one.subplan or not one.executions, "never an execution without its SUBPLAN"
        writing.roll_back()
        assert list(home.iterdir()) == []


@given(plans())
def test_advice_is_about_what_can_go_on(plan: Achievements) -> None:
    empty = Look(papers=dict.fromkeys(plan.ids, ()), approved=frozenset())
    progress = progress_of(plan, empty, now=0.0)
    told = advice(progress)
    assert set(told.ids) <= {one.id for one in progress.available} or told.action == "blocked"
    assert (told.action == "blocked") == (bool(progress.circle) or not progress.available)
    sequential_s, parallel_s = whole(progress)
    assert parallel_s <= sequential_s
    assert all(0 < chance.parallel_s < chance.sequential_s for chance in opportunities(progress))
    for one in progress.standings:
        if one.level is not None:
            needs = [progress.by_id[id].level for id in one.achievement.depends_on if id in progress.by_id]
            assert one.level == 1 + max((level for level in needs if level is not None), default=-1)
