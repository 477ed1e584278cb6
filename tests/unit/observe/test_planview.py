"""The two JSON shapes to the letter, and a text that holds its width whatever the plan is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stretto.model.plan import Finding, Location, Phase, Plan
from stretto.model.run import RunSettings
from stretto.observe.outline import outline
from stretto.observe.paint import Paint, width_of
from stretto.observe.planview import check_json, show_json, show_text
from unit.analysis.plans import plan, plans, task

SHOP = plan(
    task("schema", phase="foundation", writes=("db/**",), estimate_s=600.0),
    task("config", phase="foundation", writes=("cfg.py",), status="succeeded"),
    task("auth", phase="services", writes=("src/auth/",), estimate_s=1200.0),
    task("ui", phase="services", writes=("src/auth/x.py",), estimate_s=300.0),
    task("e2e", "services", phase="final", estimate_s=60.0),
    phases=(
        Phase(id="foundation"),
        Phase(id="services", depends_on=("foundation",), on_failure="stop"),
        Phase(id="final", parallel=False),
    ),
    name="shop",
)


def text(the_plan: Plan, width: int = 80, *, short: bool = True) -> str:
    return "\n".join(show_text(the_plan, width=width, short=short))


def test_show_json_to_the_letter() -> None:
    assert show_json(SHOP) == {
        "format": "stretto",
        "tasks": [
            {"id": "schema", "phase": "foundation", "depends_on": [], "writes": ["db/**"], "level": 0,
             "status": "pending"},
            {"id": "config", "phase": "foundation", "depends_on": [], "writes": ["cfg.py"], "level": 0,
             "status": "succeeded"},
            {"id": "auth", "phase": "services", "depends_on": ["schema", "config"], "writes": ["src/auth/"],
             "level": 1, "status": "pending"},
            {"id": "ui", "phase": "services", "depends_on": ["schema", "config"], "writes": ["src/auth/x.py"],
             "level": 1, "status": "pending"},
            {"id": "e2e", "phase": "final", "depends_on": ["auth", "ui"], "writes": None, "level": 2,
             "status": "pending"},
        ],
        "levels": [["schema", "config"], ["auth", "ui"], ["e2e"]],
        "critical_path": ["schema", "auth", "e2e"],
        "conflicts": [{"path": "src/auth/x.py", "tasks": ["auth", "ui"]}],
        "estimate": {
            "sequential_s": 2160.0, "parallel_s": 2160.0, "lower_bound_s": 1860.0, "speedup": 1.0, "peak_width": 1,
        },
    }  # fmt: skip


def test_r10_1_what_was_learned_is_in_the_times_and_is_told() -> None:
    """Two tasks of which one is known, beside one whose estimate counts whatever was learned."""
    three = plan(task("known"), task("unknown"), task("said", estimate_s=60.0))
    learned_s = {"known": 30.0, "said": 5000.0}
    assert show_json(three, learned_s=learned_s)["estimate"]["sequential_s"] == 30.0 + 720.0 + 60.0
    told = "\n".join(show_text(three, learned_s=learned_s))
    assert "as earlier runs have shown for 1 task " in told and "12 min assumed for 1 task " in told
    assert "earlier runs" not in text(three) and "assumed for 2 tasks" in text(three)


def test_r10_1_run_tells_its_time_where_anything_is_known_of_it() -> None:
    two, plain = plan(task("a"), task("b")), Paint(on=False)
    known = list(outline(two, settings=RunSettings(parallel=1), paint=plain, learned_s={"a": 60.0, "b": 120.0}))
    assert "about 3m" in known[-1]
    assert not any("about" in told for told in outline(two, settings=RunSettings(), paint=plain, learned_s={}))


def test_only_the_agents_of_what_is_to_do_are_named() -> None:
    """Each once, a command on the spot by its kind, the default only where a task names nobody."""

    def told(*agents: tuple[str, ...], done: str = "") -> str:
        tasks = (task(f"t{i}", agent=names) for i, names in enumerate(agents))
        some = plan(*(replace(one, status="succeeded") if one.id == done else one for one in tasks))
        settings = RunSettings(agent="claude")
        head = next(outline(some, settings=settings, paint=Paint(on=False), width=200, learned_s={}))
        return head.partition("at once")[2]

    assert told(("scripted",), ("scripted", "claude")) == ", by scripted"
    assert told(("scripted",), ()) == ", by scripted, claude"
    assert told(("scripted",), (), done="t1") == ", by scripted"
    assert told(("shell: make it",), ("shell: or that",)) == ", by shell"
    assert told(("a",), ("b",), ("c",), ("d",)) == ", by a, b, c and 1 more"


def test_check_json_to_the_letter() -> None:
    place = Location(file="plan.yaml", line=3, column=9)
    findings = (
        Finding(code="cycle", severity="error", message="a circle", hint="cut it", location=place, tasks=("a", "b")),
        Finding(code="empty-phase", severity="warning", message="no tasks"),
    )
    assert check_json(SHOP, findings) == {
        "ok": False,
        "format": "stretto",
        "plan": "shop",
        "findings": [
            {"code": "cycle", "severity": "error", "message": "a circle",
             "location": {"file": "plan.yaml", "line": 3, "column": 9}, "hint": "cut it", "tasks": ["a", "b"]},
            {"code": "empty-phase", "severity": "warning", "message": "no tasks", "location": None, "hint": "",
             "tasks": []},
        ],
    }  # fmt: skip
    assert check_json(SHOP, findings[1:])["ok"] is True
    unread = check_json(None, findings[:1])
    assert (unread["ok"], unread["format"], unread["plan"]) == (False, None, None)
    assert check_json(None, ())["ok"] is False


def test_depends_on_is_tasks_only() -> None:
    phases = (
        Phase(id="one"),
        Phase(id="hollow", depends_on=("one",)),
        Phase(id="two", depends_on=("hollow",), parallel=False),
    )
    tasks = (task("a", phase="one"), task("b", phase="two"), task("c", phase="two"), task("d", "hollow", phase="one"))
    assert {x["id"]: x["depends_on"] for x in show_json(plan(*tasks[:3], phases=phases))["tasks"]} == {
        "a": [], "b": ["a"], "c": ["b", "a"],
    }  # fmt: skip
    assert show_json(plan(*tasks, phases=phases))["tasks"][0]["level"] == 0, "a circle elsewhere changes nothing"
    assert show_json(plan(*tasks, phases=phases))["tasks"][3]["level"] is None


@given(plans())
def test_json_is_json_and_says_the_same_of_the_same_plan(the_plan: Plan) -> None:
    shown = show_json(the_plan)
    assert json.loads(json.dumps(shown)) == shown == show_json(the_plan)
    assert [id for ids in shown["levels"] for id in ids] == sorted(
        (x["id"] for x in shown["tasks"]), key=lambda id: [id in ids for ids in shown["levels"]].index(True)
    )
    levels = {x["id"]: x["level"] for x in shown["tasks"]}
    assert all(levels[need] < levels[x["id"]] for x in shown["tasks"] for need in x["depends_on"])


@given(plans(most=20), st.integers(40, 100), st.booleans())
def test_no_line_is_wider_than_asked_for(the_plan: Plan, width: int, short: bool) -> None:
    assert all(width_of(x) <= width for x in text(the_plan, width, short=short).splitlines())


@pytest.mark.parametrize("width", [10, 20, 40, 80, 200])
def test_strange_names_are_whole_and_tame(width: int) -> None:
    names = ["задача 1", "../../etc", "名前がとても長いタスク", "x" * 500, "a\nb", "\x1b[31mred", "🎼🎼🎼", "a b"]
    tasks = [task(name, phase=f"phase {name}", writes=(name, "shared")) for name in names]
    lines = text(plan(*tasks, name="\x1b]0;title\x07" + "n" * 300), width, short=False).split("\n")
    assert all(x.isprintable() for x in lines)
    for name in ("задача 1", "../../etc", "名前がとても長いタスク", "x" * 500, "red", "🎼🎼🎼", "a b"):
        assert any(name in x for x in lines), name
    assert "n" * 300 in lines[0] + lines[1] and any("8 tasks" in x for x in lines[:3])


def test_r1_2_what_the_plan_keeps_apart_is_said_once() -> None:
    tasks = (
        replace(task("cart", writes=("a",)), conflicts_with=("find",)),
        replace(task("find", writes=("b",)), conflicts_with=("cart", "q")),
        *(task(f"m{i}", phase="q", writes=(f"m{i}",)) for i in range(9)),
        replace(task("alone", phase="q", writes=("e",)), conflicts_with=("q",)),
    )
    apart = plan(*tasks, phases=(Phase(id="p"), Phase(id="q")))
    said = text(apart).splitlines()
    at = said.index("Kept apart: never side by side, by `conflicts_with`")
    assert said[at + 1 : at + 5] == ["  cart   find", "  find   all of q", "  alone  the rest of its phase", ""]
    told = {x["id"]: x.get("conflicts_with") for x in show_json(apart)["tasks"]}
    assert (told["find"], told["alone"], told["m0"]) == (["cart", "q"], ["q"], None)
    assert "Kept apart" not in text(SHOP)


def test_long_paths_stand_on_lines_of_their_own() -> None:
    path = "packages/frontend/src/components/navigation/sidebar/index.tsx"
    lines = text(plan(task("a", writes=(path,)), task("b", writes=(path,)))).splitlines()
    at = lines.index(f"  {path}")
    assert lines[at + 1].split() == ["a,", "b"]


def test_a_phase_whose_tasks_name_each_other_is_no_chain() -> None:
    phases = (Phase(id="p", parallel=False), Phase(id="q", parallel=False))
    tasks = (task("a", phase="p"), task("b", phase="p"), task("c", "a", phase="p"), task("d", phase="q"))
    said = text(plan(*tasks, phases=phases))
    assert "p  3 tasks, in the order of its tasks' own dependencies" in said
    assert "q  1 task, one at a time" in said


def test_a_small_plan_reads_well() -> None:
    assert (
        text(SHOP, 72)
        == """\
shop (stretto): 5 tasks, 1 done

Phases (3)
  foundation  2 tasks, 1 done
  services    2 tasks, after foundation, stops on failure
  final       1 task, one at a time

Levels: what waits for nothing above it
  1  schema, config (done)
  2  auth, ui
  3  e2e

Critical path: 3 tasks
  schema → auth → e2e

Overlaps: 1 path where tasks take turns
  src/auth/x.py  auth, ui

Expected time
  one after the other  36 min
  5 at once            36 min, 1.0 times as fast
  at the very best     31 min
  most tasks at once   1"""
    )


def test_a_large_plan_is_short_and_the_long_text_leaves_nothing_out() -> None:
    wide = plan(
        *(task(f"task-{i}", *([f"task-{i - 50}"] if i >= 50 else []), phase=f"phase-{i // 25}", writes=(f"f{i % 40}",))
          for i in range(500))
    )  # fmt: skip
    assert len(text(wide).splitlines()) < 70
    assert "… and 8 more phases" in text(wide)
    whole = text(wide, short=False)
    assert "more" not in whole
    assert all(f"task-{i}" in whole for i in range(500))
    chain = plan(task("t0"), *(task(f"t{i}", f"t{i - 1}") for i in range(1, 500)))
    assert "1–500  t0 → t1 → t2" in text(chain)
    assert len(text(chain).splitlines()) < 25


def test_an_empty_plan_and_one_that_cannot_run() -> None:
    assert text(plan()) == "test (stretto): 0 tasks"
    assert "never: 2 tasks" in text(plan(task("a", "b"), task("b", "a"), task("c")))


def test_headings_are_painted_when_wanted() -> None:
    assert "\x1b[1mExpected time\x1b[0m" in "\n".join(show_text(SHOP, paint=Paint(on=True)))


def test_a_phase_has_its_title_beside_its_id_where_there_is_room() -> None:
    phases = (
        Phase(id="1", title="Setup (Shared Infrastructure)"),
        Phase(id="2", title="Foundational", depends_on=("1",)),
        Phase(id="main", title="main"),
    )
    three = plan(
        task("T001", phase="1", status="succeeded"), task("T002", phase="1"), task("a", phase="2"),
        task("b", phase="main"), phases=phases,
    )  # fmt: skip
    lines = text(three).splitlines()
    assert "  1     Setup (Shared Infrastructure)  2 tasks, 1 done" in lines
    assert "  2     Foundational                   1 task, after 1" in lines
    assert "  main                                 1 task" in lines
    assert "  1     Setup (Shar…  2 tasks, 1" in text(three, 36).splitlines()
    assert "  1     2 tasks, 1 done" in text(three, 27).splitlines()
    assert '"Setup' not in json.dumps(show_json(three))
