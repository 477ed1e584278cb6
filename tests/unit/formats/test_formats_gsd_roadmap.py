"""GSD's roadmap: the order of phases, the plans it lists, and the boxes that say what is done."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.gsd.status import write_files
from stretto.formats.load import load, plan_files
from unit.formats.corpus import sample
from unit.formats.phases import phase, plan_file

HOME = "gsd/.planning"
ROADMAP = f"{HOME}/ROADMAP.md"


def test_phases_follow_each_other_unless_the_roadmap_says_more(tmp_path: Path) -> None:
    home = tmp_path / ".planning"
    for number in ("01", "02", "02.1", "10"):
        folder = home / "phases" / f"{number}-x"
        folder.mkdir(parents=True)
        (folder / f"{number}-01-PLAN.md").write_text(plan_file(phase=f"{number}-x"))
    text = (
        "# Roadmap\n\n### Phase 1: A\n- [ ] 01-01-PLAN.md\n\n### Phase 2: B\n**Depends on:** Nothing\n\n"
        "### Phase 2.1: C\n\n### Phase 10: D\n**Depends on**: Phase 1 (the base), Phase 2.1\n"
    )
    (home / "ROADMAP.md").write_text(text)
    assert [(x.id, x.depends_on) for x in load(home / "ROADMAP.md").plan.phases] == [
        ("01-x", ()), ("02-x", ()), ("02.1-x", ("02-x",)), ("10-x", ("01-x", "02.1-x"))
    ]  # fmt: skip


def test_a_roadmap_without_plans_is_told_how_to_get_some(tmp_path: Path) -> None:
    (tmp_path / "ROADMAP.md").write_text("# Roadmap\n\n### Phase 1: A\n- [ ] 01-01-PLAN.md — It\n")
    with pytest.raises(PlanError) as caught:
        load(tmp_path / "ROADMAP.md")
    assert [x.code for x in caught.value.findings] == ["no-plan-files"]


@pytest.mark.parametrize("word", ["01-{}:", "**01-{}**:", "Plan 01-{}:", "01-{} —", "`01-{}` -", "01-{}-PLAN.md —"])
def test_a_roadmap_names_plans_by_file_or_by_number(tmp_path: Path, word: str) -> None:
    phase(tmp_path, p01=plan_file(), p02=plan_file("02"))
    ticks = f"- [x] {word.format('01')} The schema\n- [ ] {word.format('02')} The shop\n"
    home = tmp_path / ".planning"
    (home / "ROADMAP.md").write_text(f"# Roadmap\n\n- [ ] **Phase 1: Shop** - sells\n\n### Phase 1: Shop\n{ticks}")
    plan = load(home / "ROADMAP.md").plan
    assert plan.format == "gsd"
    assert [(x.id, x.title, x.status) for x in plan.tasks] == [
        ("01-01", "The schema", "succeeded"),
        ("01-02", "The shop", "pending"),
    ]
    with pytest.raises(PlanError) as caught:
        load(home)
    assert f"name {home / 'ROADMAP.md'}" in f"{caught.value} {caught.value.hint} {caught.value.findings}"


@pytest.mark.parametrize("line", ["07-01: Of no phase here", "1-1: Numbered otherwise", "2024-05 was good", "01-01"])
def test_numbers_alone_do_not_make_a_roadmap(tmp_path: Path, line: str) -> None:
    (tmp_path / "ROADMAP.md").write_text(f"# Roadmap\n\n## Phase 1: A\n- [ ] {line}\n- [ ] Test the thing\n")
    assert load(tmp_path / "ROADMAP.md").plan.format == "checklist"


def test_a_roadmap_of_somebody_else_is_a_checklist(tmp_path: Path) -> None:
    (tmp_path / "ROADMAP.md").write_text("# Roadmap\n\n## Phase 1: A\n- [ ] Write the thing\n- [ ] Test the thing\n")
    assert load(tmp_path / "ROADMAP.md").plan.format == "checklist"


# --- statuses ----------------------------------------------------------------------------------------------------

SAID = {"failed": "pending", "running": "pending"}


def home_of(root: Path, change: Callable[[bytes], bytes] = bytes) -> Path:
    """A copy of the sample without the summary, so that only ticks say what is done."""
    home = root / ".planning"
    shutil.copytree(sample(HOME), home, ignore=shutil.ignore_patterns("*-SUMMARY.md"))
    (home / "ROADMAP.md").write_bytes(change((home / "ROADMAP.md").read_bytes()))
    return home


@pytest.mark.parametrize("named", ["ROADMAP.md", "phases/02-hire/02-01-PLAN.md", "phases/01-bicycles/01-02-PLAN.md"])
@pytest.mark.parametrize(
    "change",
    [bytes, lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"), lambda data: data.replace(b"x]", b"X]")],
    ids=["plain", "windows", "large"],
)
def test_r6_4_what_was_written_is_read_again(named: str, change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    chance = random.Random(named)
    path = home_of(tmp_path, change) / named
    first = (tmp_path / ".planning/ROADMAP.md").read_bytes()
    loaded = load(path)
    files = plan_files(str(path), loaded.plan)
    assert str(tmp_path / ".planning/ROADMAP.md") in files
    assert loaded.keeper is not None
    assert loaded.keeper({name: Path(name).read_bytes() for name in files}, {}) == {}
    for _ in range(12):
        wanted = {x.id: chance.choice(("succeeded", "failed", "running", "pending")) for x in loaded.plan.tasks}
        for name, data in loaded.keeper({name: Path(name).read_bytes() for name in files}, wanted).items():
            Path(name).write_bytes(data)
        again = {task.id: task.status for task in load(path).plan.tasks}
        assert again == {id: SAID.get(state, state) for id, state in wanted.items()}
        now = {name: Path(name).read_bytes() for name in files}
        assert loaded.keeper(now, wanted) == {}, "said once is enough"
        assert loaded.keeper(now, again) == {}
        bare = [re.sub(rb"\[[ xX]\]", b"[]", x) for x in (first, (tmp_path / ".planning/ROADMAP.md").read_bytes())]
        assert bare[0] == bare[1]


def test_r6_4_the_last_plan_of_a_phase_ticks_the_phase() -> None:
    data = sample(ROADMAP).read_bytes()
    one = data.replace(b"- [ ] 02-01", b"- [x] 02-01").replace(b"- [ ] 02-03", b"- [x] 02-03")
    assert write_files({"a": data}, {"02-01": "succeeded", "02-03": "succeeded", "02-02": "failed"}) == {"a": one}
    all_ = one.replace(b"- [ ] 02-02", b"- [x] 02-02").replace(b"- [ ] **Phase 2", b"- [x] **Phase 2")
    assert write_files({"a": one}, {"02-02": "succeeded"}) == {"a": all_}
    assert write_files({"a": all_}, {"02-02": "failed"}) == {"a": one}
    assert write_files({"a": one}, {"02-02": "succeeded", "02-05": "pending"}) == {
        "a": one.replace(b"- [ ] 02-02", b"- [x] 02-02")
    }, "a plan of the phase that the roadmap does not list is not done"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- [ ] 01-02-PLAN.md — It\n- [ ] TBD", "- [x] 01-02-PLAN.md — It\n- [ ] TBD"),
        ("- [ ] 01-02-PLAN.md — It\n  - [ ] a person looks", "- [x] 01-02-PLAN.md — It\n  - [ ] a person looks"),
        ("- [-] 01-02-PLAN.md — It", "- [x] 01-02-PLAN.md — It"),
        ("* [ ] **01-02**: It", "* [x] **01-02**: It"),
        ("```\n- [ ] 01-02-PLAN.md\n```\n<!--\n- [ ] 01-02-PLAN.md\n-->\n- [ ] 01-03: c", None),
        ("- [x] 01-02-PLAN.md — It", None),
        ("01-02-PLAN.md", None),
    ],
)
def test_r6_4_only_the_boxes_of_plans_are_ticked(before: str, after: str | None) -> None:
    """The phase is ticked with them where nothing below it is open; one that somebody ticked before stays."""
    text = "# Roadmap\n- [{}] **Phase 1: Shop**\n- [ ] **Phase 11: Other**\n\n## Phase 1: Shop\n- [x] 01-01: a\n{}\n"
    whole = after is not None and after.count("[ ]") == 0
    written = write_files({"a": text.format(" ", before).encode()}, {"01-02": "succeeded"})
    assert written == ({"a": text.format("x" if whole else " ", after).encode()} if after else {})
    ticked = write_files({"a": text.format("x", before).encode()}, {"01-02": "succeeded", "01-03": "failed"})
    assert ticked == ({"a": text.format("x", after).encode()} if after else {})


def test_r6_4_what_is_no_roadmap_is_left_alone() -> None:
    plan = plan_file(body="## Phase 1: A\n- [ ] 01-01-PLAN.md\n").encode()
    files = {"a": plan, "b": b"\xff\xff", "c": b"# List\n- [ ] 01-01-PLAN.md\n"}
    assert write_files(files, {"01-01": "succeeded"}) == {}


def test_who_has_no_box_in_the_roadmap_is_known_by_the_journal_alone(tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file(), p02=plan_file("02"))
    assert (loaded.plan.status_files, sorted(loaded.unrecorded)) == ((), ["01-01", "01-02"]), "no roadmap"
    roadmap = tmp_path / ".planning/ROADMAP.md"
    roadmap.write_text("# Roadmap\n\n### Phase 1: Shop\n- [ ] 01-01-PLAN.md — It\n")
    loaded = phase(tmp_path, p01=plan_file(), p02=plan_file("02"))
    assert (loaded.plan.status_files, list(loaded.unrecorded)) == (("../../ROADMAP.md",), ["01-02"]), "02 has none"
    assert load(roadmap).unrecorded == {"01-02"}
    for told in (loaded, load(roadmap)):
        found = [(x.severity, x.location and Path(x.location.file).name, x.tasks) for x in told.findings]
        assert found == [("info", "01-02-PLAN.md", ("01-02",))], "01-01 would tick the phase"
    (tmp_path / ".planning/phases/01-shop/01-02-SUMMARY.md").write_text("done\n")
    assert not load(roadmap).findings
    (tmp_path / ".planning/phases/01-shop/01-02-SUMMARY.md").unlink()
    roadmap.write_text(roadmap.read_text() + "- [ ] 01-02: That\n")
    for path in (roadmap, tmp_path / ".planning/phases/01-shop/01-02-PLAN.md"):
        assert not load(path).unrecorded
    roadmap.rename(tmp_path / "there.md")
    roadmap.symlink_to(tmp_path / "there.md")
    loaded = phase(tmp_path, p01=plan_file(), p02=plan_file("02"))
    assert (loaded.plan.status_files, len(loaded.unrecorded)) == ((), 2), "what is behind a link is not git's to land"


@pytest.mark.parametrize(
    ("said", "needs", "told"),
    [
        ("Phase 1", ("01-shop",), []),
        ("Nothing", (), []),
        ("Phase 7", ("01-shop",), ["phase 7, which has no plans here"]),
        ("Phase 1, Phase 22", ("01-shop",), ["phase 22, which has no plans here"]),
        ("Phase 2", ("01-shop",), ["itself"]),
        ("Phase 0", (), []),
    ],
)
def test_a_phase_that_waits_for_none_of_the_plan_is_told(
    tmp_path: Path, said: str, needs: tuple[str, ...], told: list[str]
) -> None:
    phase(tmp_path, p01=plan_file())
    mail = tmp_path / ".planning/phases/02-mail"
    mail.mkdir()
    (mail / "02-01-PLAN.md").write_text(plan_file().replace("phase: 01-shop", "phase: 02-mail"))
    roadmap = tmp_path / ".planning/ROADMAP.md"
    roadmap.write_text(
        "# Roadmap\n\n- [x] **Phase 0: Ground** - done\n\n### Phase 1: Shop\n- [ ] 01-01-PLAN.md — It\n\n"
        f"### Phase 2: Mail\n**Depends on**: {said}\n\n- [ ] 02-01-PLAN.md — That\n"
    )
    loaded = load(roadmap)
    assert loaded.plan.phases[1].depends_on == needs
    messages = [finding.message for finding in loaded.findings if finding.code == "other-phase"]
    assert messages == [f"the roadmap lets phase 2 wait for {whom}" for whom in told]
