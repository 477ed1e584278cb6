"""GSD's phases: which files are plans, what their keys and tags mean, and when one is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.gsd.names import Names
from stretto.formats.gsd.paper import Paper
from stretto.formats.load import load
from stretto.formats.syntax.source import Text
from unit.formats.corpus import sample
from unit.formats.phases import codes, one, phase, plan_file

HOME = "gsd/.planning"
ROADMAP = f"{HOME}/ROADMAP.md"


def test_the_roadmap_opens_all_phases_that_have_plans() -> None:
    plan = load(sample(ROADMAP)).plan
    assert (plan.name, plan.format) == ("Bicycle Hire", "gsd")
    assert [(x.id, x.title, x.depends_on) for x in plan.phases] == [
        ("01-bicycles", "Bicycles", ()),
        ("02-hire", "Hire", ("01-bicycles",)),
    ]
    assert [(x.id, x.phase, x.depends_on, x.status) for x in plan.tasks] == [
        ("01-01", "01-bicycles", (), "succeeded"),
        ("01-02", "01-bicycles", ("01-01",), "pending"),
        ("02-01", "02-hire", ("01-02",), "pending"),
        ("02-02", "02-hire", (), "pending"),
        ("02-03", "02-hire", ("02-01", "02-02"), "pending"),
    ]


@pytest.mark.parametrize("name", ["02-01", "02-02", "02-03"])
def test_a_plan_opens_the_plans_of_its_phase(name: str) -> None:
    loaded = load(sample(f"{HOME}/phases/02-hire/{name}-PLAN.md"))
    assert [x.id for x in loaded.plan.tasks] == ["02-01", "02-02", "02-03"]
    assert [(x.id, x.title) for x in loaded.plan.phases] == [("02-hire", "Hire")]
    assert loaded.plan.tasks[0].title == "Hire and return"
    assert "other-phase" in codes(loaded), "01-02 is not done"


def test_what_the_keys_and_tags_say() -> None:
    tasks = {task.id: task for task in load(sample(ROADMAP)).plan.tasks}
    assert tasks["01-02"].writes == (
        "hire/importer.py", "tests/test_importer.py", ".planning/phases/01-bicycles/01-02-SUMMARY.md"
    )  # fmt: skip
    assert tasks["01-02"].artifacts == ("hire/importer.py",)
    assert tasks["01-02"].context == ("PROJECT.md", "phases/01-bicycles/01-01-SUMMARY.md"), "no sources: they change"
    assert [(x.kind, x.command, x.pipefail) for x in tasks["01-02"].verify] == [
        ("command", "test -s hire/importer.py && test -s tests/test_importer.py", True)
    ]
    assert tasks["02-01"].writes is not None
    assert tasks["02-01"].writes[:2] == ("hire/hire.py", "hire/bicycle.py")
    assert tasks["02-02"].estimate_s == 1800.0
    assert tasks["02-03"].writes == (".planning/phases/02-hire/02-03-SUMMARY.md",)
    assert [x.kind for x in tasks["02-03"].verify] == ["approval"]
    assert "Hire number 7, and bring it back." in tasks["02-03"].verify[0].instructions
    said = tasks["01-02"].prompt
    assert "Purpose: nobody types 400 bicycles." in said
    assert "The old list is read, row by row" in said
    assert "01-02-SUMMARY.md" in said
    assert "execute-plan.md" not in said
    assert "files_modified" not in said


def test_papers_that_go_with_a_plan_are_of_its_planning_folder(tmp_path: Path) -> None:
    root = tmp_path / "a"
    for folder in (tmp_path / "secret", root / "secret", root / ".planning"):
        folder.mkdir(parents=True)
        (folder / "key.yaml").write_text("key: 1\n")
    (root / ".planning" / "link").symlink_to(tmp_path / "secret")
    (root / ".planning" / "one.yaml").symlink_to(root / "secret" / "key.yaml")
    names = (".planning/../../secret/key.yaml", ".planning/../secret/key.yaml", ".planning/link/key.yaml",
             ".planning/one.yaml", f"{root}/.planning/../secret/key.yaml", ".planning/phases/../key.yaml")  # fmt: skip
    told = "".join(f"@{name}\n" for name in names)
    task = one(root, plan_file(body=f"<objective>\nDo it.\n</objective>\n<context>\n{told}</context>\n"))
    assert task.context == ("../../key.yaml",)


def test_findings_stand_in_the_plan_that_they_are_about() -> None:
    loaded = load(sample(ROADMAP))
    found = {x.code: x.location for x in loaded.findings}
    assert list(found) == ["check-leaves-workspace", "checkpoint-passed", "set-aside"]
    assert {code: (Path(x.file).name, x.line) for code, x in found.items() if x} == {
        "check-leaves-workspace": ("02-01-PLAN.md", 20),
        "checkpoint-passed": ("02-02-PLAN.md", 17),
        "set-aside": ("02-04-PLAN.md", 3),
    }


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *(
            ("01-02", ("plan", "01-02")),
            ("02", ("plan", "01-02")),
            ("2", ("plan", "01-02")),
            ("1-2", ("plan", "01-02")),
        ),
        *(("01-shop-02", ("plan", "01-02")), ("01-shop/02", ("plan", "01-02")), ("01-02-PLAN.md", ("plan", "01-02"))),
        *(("02A", ("plan", "01-02A")), ("01-02a", ("plan", "01-02A")), ("02.1-01", ("plan", "02.1-01"))),
        *(("phase-2.1", ("phase", "2.1")), ("Phase 1", ("phase", "1")), ("03-01", ("other", "3"))),
        *(("none", None), ("nobody at all", ("nobody", "nobody at all")), ("01-09", ("nobody", "01-09"))),
    ],
)
def test_whom_a_word_means(word: str, meant: tuple[str, str] | None) -> None:
    def papers(*names: str) -> list[Paper]:
        return [Paper(Path(f"{x}-PLAN.md"), Text("p", plan_file(x.rpartition("-")[2]))) for x in names]

    names = Names({"1": papers("01-01", "01-02", "01-02A"), "2.1": papers("02.1-01")})
    assert names.of(word, "1") == meant


def test_waves_order_plans_that_name_nobody(tmp_path: Path) -> None:
    texts = {
        f"p0{i + 1}": plan_file(f"0{i + 1}", wave=str(wave), depends_on="-") for i, wave in enumerate((1, 1, 3, 4))
    }
    tasks = phase(tmp_path, **texts).plan.tasks
    assert [task.depends_on for task in tasks] == [(), (), ("01-01", "01-02"), ("01-03",)]


def test_a_wave_that_differs_from_the_dependencies_is_told(tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file(), p02=plan_file("02", depends_on="[01-01]"))
    assert loaded.plan.tasks[1].depends_on == ("01-01",)
    assert [x.code for x in loaded.findings] == ["wave-differs"]
    assert [x.code for x in phase(tmp_path, p02=plan_file("02", depends_on="[01]", wave="2")).findings] == []


def test_an_unknown_plan_is_told_at_its_place(tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file(depends_on="[01-07]"))
    found = next(x for x in lint(loaded.plan, loaded.places) if x.code == "unknown-id")
    assert found.location is not None
    assert (found.location.line, found.location.column) == (6, 14)


def test_who_waits_for_a_phase_that_is_done_is_told_nothing(tmp_path: Path) -> None:
    other = tmp_path / ".planning" / "phases" / "00-base"
    other.mkdir(parents=True)
    (other / "00-01-PLAN.md").write_text(plan_file(phase="00-base"))
    text = plan_file(depends_on="[00-01]")
    assert [x.code for x in phase(tmp_path, p01=text).findings] == ["other-phase"]
    (other / "00-01-SUMMARY.md").write_text("Done.\n")
    loaded = phase(tmp_path, p01=text)
    assert not loaded.findings
    assert loaded.plan.tasks[0].depends_on == ()


@pytest.mark.parametrize("sign", ["summary", "tick", "status"])
def test_when_a_plan_is_done(sign: str, tmp_path: Path) -> None:
    assert one(tmp_path, plan_file()).status == "pending"
    if sign == "summary":
        (tmp_path / ".planning/phases/01-shop/01-01-SUMMARY.md").write_text("Done.\n")
    elif sign == "tick":
        (tmp_path / ".planning/ROADMAP.md").write_text("# Roadmap\n\n### Phase 1: Shop\n- [x] 01-01-PLAN.md — It\n")
    assert one(tmp_path, plan_file(**({"status": "complete"} if sign == "status" else {}))).status == "succeeded"


def test_summaries_are_no_plans(tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file())
    folder = tmp_path / ".planning/phases/01-shop"
    (folder / "01-RESEARCH.md").write_text(plan_file())
    summary = folder / "01-03-SUMMARY.md"
    summary.write_text("---\nphase: 01-shop\nplan: 03\nsubsystem: ui\nrequires: []\n---\n\n# Summary\n\nWords.\n")
    assert [x.id for x in load(folder / "01-01-PLAN.md").plan.tasks] == [x.id for x in loaded.plan.tasks] == ["01-01"]
    with pytest.raises(PlanError) as caught:
        load(summary)
    assert [x.code for x in caught.value.findings] == ["unknown-format"]


BROKEN = [
    (plan_file("03", body="caf\xe9\n").encode("latin-1"), "encoding"),
    (plan_file("03", body="Nul\0l\n").encode(), "encoding"),
    (b"\n", "empty"),
    (b"x" * (512 * 1024 + 1), "too-large"),
    (plan_file("03").replace("[]\n---\n", "[]\n").encode(), "syntax"),
    (plan_file("03", body="\n---\n\nMore.\n").replace("[]\n---\n", "[]\n<objective>\n").encode(), "syntax"),
]


@pytest.mark.parametrize(("data", "code"), BROKEN)
@pytest.mark.parametrize("whole", [False, True])
def test_a_plan_that_cannot_be_read_is_no_phase_with_a_hole(
    whole: bool, data: bytes, code: str, tmp_path: Path
) -> None:
    phase(tmp_path, p01=plan_file(), p02=plan_file("02"))
    home = tmp_path / ".planning"
    (home / "ROADMAP.md").write_text("# Roadmap\n\n### Phase 1: Shop\n- [ ] 01-01-PLAN.md — It\n")
    broken = home / "phases/01-shop/01-03-PLAN.md"
    broken.write_bytes(data)
    with pytest.raises(PlanError) as caught:
        load(home / "ROADMAP.md" if whole else broken.with_name("01-01-PLAN.md"))
    (found,) = caught.value.findings
    assert (found.code, found.severity, found.location and found.location.file) == (code, "error", str(broken))
    assert found.hint


def test_a_roadmap_that_cannot_be_read_leaves_nobody_to_say_what_is_done(tmp_path: Path) -> None:
    phase(tmp_path, p01=plan_file())
    (tmp_path / ".planning/ROADMAP.md").write_bytes(b"# Roadmap\xff\n")
    with pytest.raises(PlanError) as caught:
        phase(tmp_path, p01=plan_file())
    assert [(x.code, x.location and Path(x.location.file).name) for x in caught.value.findings] == [
        ("encoding", "ROADMAP.md")
    ]


@pytest.mark.parametrize("text", ["# Not begun\n", "---\nauthor: kim\n---\n\n# Later\n"])
def test_a_file_named_as_a_plan_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file(), p02=text)
    assert [x.id for x in loaded.plan.tasks] == ["01-01"]
    (found,) = loaded.findings
    assert (found.code, found.severity) == ("passed-over", "warning")
    assert found.location is not None
    assert Path(found.location.file).name == "01-02-PLAN.md"


@pytest.mark.parametrize(
    "text",
    [
        "---\nphase: 01-shop\nplan: 02\n---\n\nWords.\n",
        "---\nPhase: 01-shop\nPlan: 02\nDepends-On: []\n---\n\nWords.\n",
        "---\n  phase: 01-shop\n  plan: 02\n  wave: 1\n---\n\nWords.\n",
        "---\nphase: 01-shop\nplan: 02\nduration: 30min\n---\n\nWords.\n",
        "---\nwave: 1\n---\n\nWords.\n",
        "# Plan 2\n\n<task type='auto'>\n<name>It</name>\n</task>\n",
    ],
)
def test_what_is_named_as_a_plan_needs_to_say_little(text: str, tmp_path: Path) -> None:
    loaded = phase(tmp_path, p01=plan_file(), p02=text)
    assert [x.id for x in loaded.plan.tasks] == ["01-01", "01-02"]
    assert loaded.findings == ()


def test_a_phase_with_more_plans_than_are_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stretto.formats.gsd.folder._MOST", 2)
    assert len(phase(tmp_path, p01=plan_file(), p02=plan_file("02")).plan.tasks) == 2
    with pytest.raises(PlanError) as caught:
        phase(tmp_path, p03=plan_file("03"))
    assert [x.code for x in caught.value.findings] == ["too-large"]
    assert "3 plans" in caught.value.findings[0].message


def test_a_plan_without_phase_and_number(tmp_path: Path) -> None:
    text = "---\nwave: 1\ndepends_on: []\nfiles_modified: [a.py]\nautonomous: true\n---\n\n# Plan\n\nWords.\n"
    assert [x.id for x in phase(tmp_path, p01=text).plan.tasks] == ["01-01"]


CLAIMS = [
    ({"files_modified": "[a.py, b/c.ts]"}, "", ("a.py", "b/c.ts")),
    (
        {"files_modified": "\n  # first\n  - a.py   # NEW\n  - docs/** (moved)\n  - `b.py` — all of it"}, "",
        ("a.py", "docs/**", "b.py"),
    ),
    ({}, "<task>\n<files>a.py, b.py (new)\nc/d.py</files>\n</task>\n", ("a.py", "b.py", "c/d.py")),
    ({"files_modified": "[]"}, "", ()),
    ({}, "", None),
    ({"files_modified": "[../up.py, /etc/x]"}, "", ()),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "body", "claims"), CLAIMS)
def test_which_files_a_plan_claims(
    keys: dict[str, str], body: str, claims: tuple[str, ...] | None, tmp_path: Path
) -> None:
    writes = one(tmp_path, plan_file(body=f"<objective>It</objective>\n{body}", **keys)).writes
    summary = ".planning/phases/01-shop/01-01-SUMMARY.md"
    assert writes == (None if claims is None else (*claims, summary))


@pytest.mark.parametrize(
    ("artifacts", "found"),
    [
        ('    - path: "a.py"\n      provides: "x"\n    - path: b/c.ts  # new\n', ("a.py", "b/c.ts")),
        ("    - a.py\n    - b.py (mended)\n", ("a.py", "b.py")),
        ("    - path: .planning/X.md\n    - path: src/**\n", ()),
        ("    []\n", ()),
    ],
)
def test_which_files_a_plan_promises(artifacts: str, found: tuple[str, ...], tmp_path: Path) -> None:
    haves = f"\n  truths:\n    - It works\n  artifacts:\n{artifacts}  key_links: []"
    assert one(tmp_path, plan_file(must_haves=haves)).artifacts == found


def test_who_is_not_autonomous_asks_a_person(tmp_path: Path) -> None:
    body = "<objective>It</objective>\n<success_criteria>\nIt is blue.\n</success_criteria>\n"
    task = one(tmp_path, plan_file(body=body, autonomous="false"))
    assert [x.kind for x in task.verify] == ["approval"]
    assert "It is blue." in task.verify[0].instructions
    assert one(tmp_path, plan_file(body=body, autonomous="true")).verify == ()


@pytest.mark.parametrize(
    ("words", "kinds", "code"),
    [
        ("make test", ["command"], ""),
        ("make test || true", ["approval"], "masked-check"),
        ("cd /home/kim/x && make", ["approval"], "check-leaves-workspace"),
        ("MISSING — by hand", [], ""),
    ],
)
def test_r5_4_automated_checks_are_run_where_they_prove_something(
    words: str, kinds: list[str], code: str, tmp_path: Path
) -> None:
    body = f"<task type='auto'>\n<verify><automated>{words}</automated></verify>\n</task>\n"
    loaded = phase(tmp_path, p01=plan_file(body=body))
    assert [x.kind for x in loaded.plan.tasks[0].verify] == kinds
    assert [x.code for x in loaded.findings] == ([code] if code else [])
