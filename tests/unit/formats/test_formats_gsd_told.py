"""What a phase of GSD and its roadmap leave open is told, and what is over is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.formats.load import Loaded, load
from unit.formats.phases import codes, phase, plan_file

CHECKPOINT = '<task type="checkpoint:decision">\n<name>Choose</name>\n</task>\n'


def roadmap(root: Path, boxes: str, phase_box: str = " ") -> Path:
    home = root / ".planning"
    home.mkdir(exist_ok=True)
    text = f"# Roadmap\n\n- [{phase_box}] **Phase 1: Shop** - sells\n\n### Phase 1: Shop\n{boxes}"
    (home / "ROADMAP.md").write_text(text)
    return home / "ROADMAP.md"


def places(loaded: Loaded) -> list[tuple[str, str, int]]:
    found = [(x.code, x.location) for x in loaded.findings]
    return [(code, Path(at.file).name, at.line) for code, at in found if at is not None]


def test_the_hint_for_a_plan_that_the_roadmap_leaves_out_can_be_followed(tmp_path: Path) -> None:
    phase(tmp_path, p01=plan_file())
    (tmp_path / ".planning" / "phases" / "01-shop" / "PLAN.md").write_text(plan_file("02"))
    home = roadmap(tmp_path, "- [ ] 01-01-PLAN.md\n")
    (told,) = load(home).findings
    assert (told.code, told.tasks) == ("not-listed", ("01-shop",))
    box = told.hint.partition(": ")[2]
    home.write_text(home.read_text() + box + "\n")
    assert load(home).findings == ()


@pytest.mark.parametrize("box", ["01-04-PLAN.md — The end", "01-04: The end"])
def test_a_plan_that_the_roadmap_lists_and_that_has_no_file_is_told(tmp_path: Path, box: str) -> None:
    home = roadmap(tmp_path, f"- [ ] 01-01-PLAN.md\n- [ ] {box}\n- [x] 01-05-PLAN.md\n- [ ] 02-01-PLAN.md\n")
    one = phase(tmp_path, p01=plan_file())
    for loaded in (one, load(home)):
        assert places(loaded) == [("plan-missing", "ROADMAP.md", 7)]


def test_a_plan_is_not_missing_that_is_there_by_another_name_or_done(tmp_path: Path) -> None:
    home = roadmap(tmp_path, "".join(f"- [ ] 01-0{n}-PLAN.md\n" for n in range(1, 5)))
    phase(tmp_path, p01=plan_file())
    folder = tmp_path / ".planning" / "phases" / "01-shop"
    (folder / "02-PLAN.md").write_text(plan_file("02"))
    (folder / "01-03-SUMMARY.md").write_text("Done.\n")
    (folder / "01-04-PLAN.md").write_text("Words.\n")
    assert [x.code for x in load(home).findings] == ["passed-over", "not-listed"]
    for box in ("x", " "):
        roadmap(tmp_path, "- [ ] 01-01-PLAN.md\n- [ ] 01-09-PLAN.md\n", box)
        assert ("plan-missing" in [x.code for x in load(home).findings]) == (box == " ")


@pytest.mark.parametrize("over", ["ticked", "status", "summary", "dropped"])
def test_checkpoints_of_plans_that_are_over_are_not_told(tmp_path: Path, over: str) -> None:
    status = {"status": "done", "dropped": "superseded"}.get(over, "-")
    text = plan_file("02", body=CHECKPOINT, status=status)
    other = plan_file(body=CHECKPOINT)
    roadmap(tmp_path, f"- [ ] 01-01-PLAN.md\n- [{'x' if over == 'ticked' else ' '}] 01-02-PLAN.md\n")
    phase(tmp_path, p01=other)
    if over == "summary":
        (tmp_path / ".planning" / "phases" / "01-shop" / "01-02-SUMMARY.md").write_text("Done.\n")
    loaded = phase(tmp_path, p01=other, p02=text)
    assert [x.tasks for x in loaded.findings if x.code == "checkpoint-passed"] == [("01-01",)]


def test_a_plan_that_waits_for_itself_is_told(tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file(), p02=plan_file("02", depends_on="[01-01, 01-02]"))
    assert codes(loaded) == ["wave-differs", "self-dependency"]


@pytest.mark.parametrize(("wave", "told"), [("one", True), ("1st", True), ("null", False), ("2", False), ("", False)])
def test_a_wave_that_is_no_number_is_told(tmp_path: Path, wave: str, told: bool) -> None:
    loaded = phase(tmp_path, p01=plan_file(wave=wave))
    assert places(loaded) == ([("wave-unread", "01-01-PLAN.md", 5)] if told else [])
