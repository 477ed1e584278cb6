"""beads' exports: issues, epics, what blocks what, and statuses."""

from __future__ import annotations

import json
import random

import pytest

from stretto.analysis.lint import lint
from stretto.errors import PlanError
from stretto.formats.beads.status import write_statuses
from stretto.formats.load import Loaded, load
from stretto.formats.syntax.parse import parse
from stretto.model.plan import Task
from unit.formats.corpus import sample

SAMPLES = ("issues.jsonl", "crlf.jsonl", "list.json")


def issue(id: str, **more: object) -> dict[str, object]:
    return {"id": id, "title": f"Do {id}", "status": "open", "issue_type": "task", **more}


def link(to: str, type: str = "blocks") -> dict[str, object]:
    return {"depends_on_id": to, "type": type}


def read(*issues: dict[str, object]) -> Loaded:
    return load("issues.jsonl", "\n".join(json.dumps(each) for each in [*issues, issue("last")]).encode())


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks if task.id != "last"}


def test_an_export() -> None:
    loaded = load(sample("beads/issues.jsonl"))
    assert loaded.plan.format == "beads"
    assert [(x.id, x.title, x.depends_on) for x in loaded.plan.phases] == [
        ("loom-e1", "Weave patterns", ()), ("loom-e2", "Drive the loom", ()), ("issues", "Issues of no epic", ()),
    ]  # fmt: skip
    found = tasks(loaded)
    assert {id: (task.phase, task.depends_on, task.status) for id, task in found.items()} == {
        "loom-e1.1": ("loom-e1", (), "succeeded"),
        "loom-e1.2": ("loom-e1", ("loom-e1.1",), "pending"),
        "loom-7f": ("loom-e2", ("loom-e1",), "running"),
        "loom-9x": ("issues", (), "pending"),
        "loom-ad": ("issues", (), "pending"),
    }
    assert (found["loom-e1.2"].priority, found["loom-e1.2"].estimate_s) == (1, 2700.0)
    assert found["loom-e1.2"].writes == ("loom/repeat.py", "tests/test_repeat.py")
    assert found["loom-e1.1"].writes == ("loom/pattern.py",), "what stands in code is not claimed"
    assert (found["loom-7f"].effect, found["loom-9x"].effect) == ("changes", "any")
    assert [x.code for x in loaded.findings] == ["unknown-status", "set-aside", "set-aside"]
    assert (loaded.places["task:loom-7f"].line, loaded.places["task:loom-7f"].column) == (5, 1)
    place = loaded.places["task:loom-7f:depends_on:0"]
    assert (place.line, place.column) == (4, 123), "where the epic says it"


def test_spacing_a_byte_order_mark_and_lists() -> None:
    found = tasks(load(sample("beads/crlf.jsonl")))
    assert {id: (task.depends_on, task.priority) for id, task in found.items()} == {
        "k-1": ((), 2),
        "k-2": (("k-1",), 3),
    }
    found = tasks(load(sample("beads/list.json")))
    assert {id: task.phase for id, task in found.items()} == {"q-2": "q-1"}
    single = json.dumps(issue("a"), indent=1).encode()
    assert list(tasks(load("a.json", single))) == ["a"]


def test_the_prompt_has_the_issue_and_its_epics() -> None:
    prompt = tasks(load(sample("beads/issues.jsonl")))["loom-e1.2"].prompt
    for words in ("# Weave patterns", "Keep it small.", "Repeat a pattern (loom-e1.2)", "A generator.", "- core"):
        assert words in prompt
    assert "- ines: Mind the last row." in prompt
    assert "Parse a pattern" not in prompt
    long = tasks(read(issue("a", description="x " * 20_000), issue("a.1", comments=[{"text": "y" * 50_000}] * 3)))
    assert len(long["a.1"].prompt) < 14_000


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        *((kind, True) for kind in ("blocks", "waits-for", "", "blocked-by")),
        *(
            (kind, False)
            for kind in ("related", "discovered-from", "tracks", "duplicates", "parent-child", "caused-by")
        ),
    ],
)
def test_r1_types_of_dependencies(kind: str, waits: bool) -> None:
    found = tasks(read(issue("a"), issue("b", dependencies=[link("a", kind)]), issue("c")))
    assert found["b"].depends_on == (("a" if kind != "parent-child" else "",) if waits else ())


def test_r1_2_who_waits_for_an_epic_waits_for_all_of_it_and_what_blocks_it_blocks_all_of_it() -> None:
    found = tasks(
        read(
            issue("first"),
            issue("e", issue_type="epic", dependencies=[link("first")]),
            issue("e.1"),
            issue("inner", issue_type="epic", dependencies=[link("e", "parent-child")]),
            issue("deep", dependencies=[link("inner", "parent-child"), link("e.1")]),
            issue("after", dependencies=[link("e")]),
            issue("own", dependencies=[link("e", "parent-child"), link("e")]),
        )
    )
    assert {id: task.depends_on for id, task in found.items()} == {
        "first": (), "e.1": ("first",), "deep": ("e.1", "first"), "after": ("e", "inner"), "own": ("first",),
    }  # fmt: skip


def test_r1_5_what_is_not_there_is_told_and_what_was_deleted_is_not_waited_for() -> None:
    loaded = read(issue("gone", status="tombstone"), issue("a", dependencies=[link("gone"), link("nowhere")]))
    assert tasks(loaded)["a"].depends_on == ("nowhere",)
    (finding,) = [x for x in lint(loaded.plan, loaded.places) if x.code == "unknown-id"]
    assert finding.location and (finding.location.line, finding.tasks) == (2, ("a",))


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"status": "deferred"}, False),
        ({"status": "blocked"}, False),
        ({"status": "pinned"}, False),
        ({"status": "tombstone"}, False),
        ({"status": "hooked"}, True),
        ({"status": "in-progress"}, True),
        ({"issue_type": "epic"}, False),
        ({"issue_type": "gate"}, False),
        ({"issue_type": "message"}, False),
        ({"issue_type": "spike"}, True),
        ({"_type": "memory"}, False),
        ({"ephemeral": True}, False),
        ({"is_template": True}, False),
        ({"defer_until": "2999-01-01T00:00:00Z"}, False),
        ({"defer_until": "2001-01-01T00:00:00Z"}, True),
        ({"defer_until": "soon"}, True),
        ({"dependencies": [link("last", "conditional-blocks")]}, False),
        ({"dependencies": [link("external:shop:api")]}, False),
    ],
)
def test_what_is_part_of_a_run(more: dict[str, object], left: bool) -> None:
    assert ("a" in tasks(read(issue("a", **more)))) is left


def test_an_epic_that_is_put_off_is_so_with_all_its_issues() -> None:
    loaded = read(
        issue("e", issue_type="epic", status="deferred"), issue("e.1"), issue("e.2", status="closed"),
        issue("x", dependencies=[link("e.1")]),
    )  # fmt: skip
    assert list(tasks(loaded)) == ["e.2"]
    assert [x.code for x in loaded.findings] == ["set-aside", "set-aside"]


def test_issues_that_belong_to_each_other_are_told() -> None:
    loaded = read(
        issue("a", dependencies=[link("b", "parent-child")]), issue("b", dependencies=[link("a", "parent-child")])
    )
    assert [(x.code, x.severity) for x in loaded.findings] == [("cycle", "error")]


def test_broken_lines_are_told_with_their_places() -> None:
    good = json.dumps(issue("a"))
    with pytest.raises(PlanError) as caught:
        load("issues.jsonl", f'{good}\n\n{{"id": "b", "title": nope}}\r\n{good[:20]}\n'.encode())
    places = [(x.location.line, x.location.column) for x in caught.value.findings if x.location]
    assert places == [(3, 22), (4, 21)]


def test_an_id_that_is_missing_or_stands_twice() -> None:
    with pytest.raises(PlanError, match="has no `id`"):
        load(
            "issues.jsonl", b'{"title": "x", "status": "open", "id": null}\n{"id": "a", "title": "x", "status": "open"}'
        )
    loaded = read(issue("a"), issue("a"))
    findings = [x for x in lint(loaded.plan, loaded.places) if x.code == "duplicate-id"]
    assert [x.location and x.location.line for x in findings] == [2]


@pytest.mark.parametrize("text", ['{"a": 1}\n{"b": 2}\n', '{"id": "x", "title": "y", "status": "open"}'])
def test_other_records_are_no_issues(text: str) -> None:
    with pytest.raises(PlanError, match="not a plan"):
        load("x.jsonl", text.encode())


def test_json_lines_keep_their_places() -> None:
    data = b'\xef\xbb\xbf{"a": [1, {"b": 2}]}\r\n\r\n  {"c": "\xc3\xbc"}\r\n'
    source = parse("x", data)
    assert source.tree == [{"a": [1, {"b": 2}]}, {"c": "ü"}]
    assert (source.location((1, "c")).line, source.location((1, "c")).column) == (3, 9)
    assert source.written((0, "a", 1, "b")) == "2"
    assert source.edited([]) == data


@pytest.mark.parametrize("name", SAMPLES)
def test_r6_4_a_round_trip_changes_statuses_and_nothing_else(name: str) -> None:
    data = sample(f"beads/{name}").read_bytes()
    before = load("issues.jsonl", data).plan.tasks
    assert write_statuses(data, {}) == data
    assert write_statuses(data, {task.id: task.status for task in before}) == data
    chance = random.Random(name)
    for _ in range(30):
        wanted = {task.id: chance.choice(("succeeded", "failed", "running", "skipped")) for task in before}
        after = write_statuses(data, wanted)
        assert {x.id: x.status for x in load("issues.jsonl", after).plan.tasks} == {
            id: state if state in ("succeeded", "running") else "pending" for id, state in wanted.items()
        }
        assert write_statuses(after, wanted) == after
        old, new = parse("x", data).tree, parse("x", after).tree
        assert isinstance(old, list)
        assert isinstance(new, list)
        for a, b in zip(old, new, strict=True):
            assert {k: v for k, v in a.items() if k not in ("status", "closed_at")} == {
                k: v for k, v in b.items() if k not in ("status", "closed_at")
            }
            assert ("closed_at" in b) == ("closed_at" in a and b["status"] == "closed")


def test_what_is_wrong_with_a_line_is_told_of_the_line() -> None:
    lines = ['{"id": "a", "title": "x", "status": "open"}', '{"id": "b", "title": "y"', '{"id": "c", "title": "z"}']
    with pytest.raises(PlanError) as caught:
        load("issues.jsonl", "\n".join(lines).encode())
    (finding,) = caught.value.findings
    assert finding.message == "the line ends inside the object that begins in line 2, column 1"
    assert finding.location is not None and (finding.location.line, finding.location.column) == (2, 25)
