"""Drawings of a plan: they say what the graph says, whatever its names are, and nothing lies on anything else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stretto.analysis.conflicts import conflicts
from stretto.analysis.estimate import critical_path, durations
from stretto.analysis.graph import build
from stretto.model.plan import Finding, Location, Phase, Plan
from stretto.observe.paint import width_of
from stretto.observe.views.draw import DRAWINGS, draw
from stretto.observe.views.picture import MOST_BOXES, Picture, picture
from stretto.observe.views.placing import Sizes, place
from stretto.observe.views.tree import tree
from unit.analysis.plans import plan, plans, task

SIZES = Sizes(
    wide=100.0, narrow=10.0, gap=30.0, above=8.0, heights={"task": 40.0, "phase": 40.0, "end": 10.0, "bend": 4.0}
)
HOSTILE = '"]]><script>alert(1)</script>&amp;\\n{{ 7*7 }} `x` #35; --> end;'
SHOP = plan(
    task("schema", phase="one", title="The tables", estimate_s=600.0, writes=("db/",)),
    task("config", phase="one", status="succeeded"),
    task("auth", phase="two", writes=("src/x.py",), estimate_s=60.0),
    task("ui", phase="two", writes=("src/x.py",)),
    task("docs", "schema", phase="two"),
    phases=(Phase(id="one", title="Foundation"), Phase(id="two", depends_on=("one",))),
    name="shop",
)


def drawn(the_plan: Plan, most: int = MOST_BOXES) -> Picture:
    graph, took = build(the_plan), durations(the_plan)
    return picture(the_plan, graph, took, critical_path(the_plan, graph, took), conflicts(the_plan, graph), most)


def shown(the_plan: Plan, kind: str, findings: Sequence[Finding] = ()) -> str:
    return "\n".join(draw(the_plan, findings, kind, places=5, default_s=720.0, command="stretto run plan.yaml"))


def behind(count: int, edges: list[tuple[int, int]]) -> list[set[int]]:
    before: list[set[int]] = [set() for _ in range(count)]
    for _ in range(count):
        for first, then in edges:
            before[then] |= {first} | before[first]
    return before


@given(plans(12))
@settings(max_examples=200)
def test_the_arrows_say_what_the_graph_says(the_plan: Plan) -> None:
    graph, found = build(the_plan), drawn(the_plan)
    waits = graph.waits()
    whole = behind(len(graph.names), [(x, node) for node in range(len(graph.names)) for x in waits[node]])
    arrows = behind(len(found.boxes), [(arrow.first, arrow.then) for arrow in found.arrows])
    for i in range(graph.tasks):
        assert {x for x in arrows[i] if x < graph.tasks} == {x for x in whole[i] if x < graph.tasks}


@given(plans(12))
@settings(max_examples=200)
def test_boxes_lie_beside_each_other_and_within_the_drawing(the_plan: Plan) -> None:
    found = drawn(the_plan)
    placed = place(found, SIZES)
    columns: dict[int, list[tuple[float, float]]] = {}
    for box, column, (x, y) in zip(found.boxes, placed.column_of, placed.middles, strict=True):
        half = SIZES.heights[box.kind] / 2
        columns.setdefault(column, []).append((y - half, y + half))
        assert half <= y + 1e-6 <= placed.height - half + 1e-6
        assert 0 <= x <= placed.width
    for spans in columns.values():
        spans.sort()
        for (_, end), (start, _) in itertools.pairwise(spans):
            assert start >= end + SIZES.above - 1e-6
    for arrow in found.arrows:
        assert placed.column_of[arrow.first] < placed.column_of[arrow.then]
    for pair in found.apart:
        assert placed.column_of[pair.first] <= placed.column_of[pair.then]
    ends = [(x.first, x.then) for x in found.arrows] + [(x.first, x.then) for x in found.apart]
    for (first, then), bends in zip(ends, placed.bends, strict=True):
        way = [placed.middles[first][0], *(x for left, right, _ in bends for x in (left, right))]
        assert way == sorted(way) and way[-1] <= placed.middles[then][0], "no line ever turns back"


@given(plans(12), st.integers(40, 120))
@settings(max_examples=200)
def test_the_tree_has_each_box_once(the_plan: Plan, width: int) -> None:
    found = drawn(the_plan)
    lines = list(tree(found, width))
    text = re.sub(r"\(also after [^)]*\)", "", "\n".join(lines))
    for box in found.boxes:
        if box.kind == "task":
            assert len(re.findall(rf"(?<!\w){box.name}(?!\w)", text)) == 1
    assert all(width_of(line) <= width or " → " not in line for line in lines)


def test_the_tree_to_the_letter() -> None:
    assert list(tree(drawn(SHOP), 80)) == [
        "schema",
        "config ✓ → (all of one)",
        "├─ auth",
        "├─ ui",
        "└─ docs",
    ]


def test_the_end_of_a_phase_is_drawn_where_it_saves_arrows() -> None:
    two = plan(
        task("a"), task("b", phase="q"), task("c", phase="q"), phases=(Phase(id="p"), Phase(id="q", depends_on=("p",)))
    )
    assert [(x.first, x.then) for x in drawn(two).arrows] == [(0, 1), (0, 2)]
    assert [box.kind for box in drawn(SHOP).boxes].count("end") == 1
    assert len(drawn(SHOP).arrows) == 5


def test_what_is_special_is_marked() -> None:
    boxes = {box.name: box for box in drawn(SHOP).boxes if box.kind == "task"}
    assert boxes["config"].done and not boxes["config"].critical
    assert boxes["schema"].critical and not boxes["schema"].turns
    assert boxes["auth"].turns == boxes["ui"].turns == ("src/x.py",)
    soft = plan(task("a"), replace(task("b"), after=("a",)))
    assert drawn(soft).arrows[0].soft
    assert "-.->" in shown(replace(soft, tasks=(*soft.tasks, task("z", estimate_s=9999.0))), "mermaid")
    assert "style=dashed" in shown(soft, "dot")


APART = plan(
    replace(task("cart", phase="two", writes=("a",)), conflicts_with=("find", "gone")),
    replace(task("find", phase="two", writes=("b",)), conflicts_with=("cart",)),
    replace(task("pay", "cart", phase="two", writes=("c",)), conflicts_with=("find", "small", "many")),
    replace(task("gone", phase="small", status="succeeded"), conflicts_with=("pay",)),
    task("left", phase="small", writes=("d",)),
    *(task(f"m{i}", phase="many", writes=(f"m{i}",)) for i in range(9)),
    replace(task("alone", phase="many", writes=("e",)), conflicts_with=("many",)),
    phases=(Phase(id="two"), Phase(id="small"), Phase(id="many")),
)


def test_r1_2_what_the_plan_keeps_apart_is_drawn_once_and_what_is_too_much_is_said() -> None:
    found = drawn(APART)
    named = [(found.boxes[x.first].name, found.boxes[x.then].name) for x in found.apart]
    assert named == [("cart", "find"), ("find", "pay"), ("left", "pay")]
    boxes = {box.name: box for box in found.boxes}
    assert (boxes["pay"].apart, boxes["pay"].beyond) == (("find", "left", "all of many"), ("all of many",))
    assert (boxes["find"].apart, boxes["find"].beyond) == (("cart", "pay"), ())
    assert boxes["alone"].beyond == ("the rest of its phase",)
    assert not boxes["gone"].apart, "what is done is in nobody's way"
    assert [(x.first, x.then) for x in found.arrows] == [(0, 2)], "it orders nothing"


def test_r1_2_every_drawing_tells_a_line_that_keeps_apart_from_an_arrow() -> None:
    mermaid = shown(APART, "mermaid").split("\n")
    assert mermaid.count('  n0 -.-|"never side by side"| n1') == 1
    assert "  linkStyle 1,2,3 stroke:#7c3aed,color:#7c3aed" in mermaid
    assert any("never beside all of many" in line for line in mermaid)
    dot = shown(APART, "dot")
    assert len(re.findall(r"n\d+ -> n\d+ \[dir=none, style=dotted", dot)) == 3 and "dotted: never side by side" in dot
    for kind in ("svg", "html"):
        text = shown(APART, kind)
        drawing = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
        lines = [x for x in drawing.iter("{http://www.w3.org/2000/svg}path") if x.get("class") == "apart"]
        assert ["".join(x.itertext()) for x in lines] == [
            "never side by side: cart and find", "never side by side: find and pay",
            "never side by side: left and pay", "",
        ], "the last of them is the legend"  # fmt: skip
        assert "≠" in "".join(drawing.itertext()) and "never beside all of many" in "".join(drawing.itertext())
    assert "never beside find, left, all of many</div>" in shown(APART, "html")
    for kind in DRAWINGS:
        assert "never" not in shown(SHOP, kind) and "≠" not in shown(SHOP, kind)


def test_what_keeps_very_many_apart_is_marked_and_not_drawn() -> None:
    foes = tuple(f"t{i}" for i in range(20))
    crowd = plan(*(replace(task(id, writes=(id,)), conflicts_with=foes) for id in foes))
    found = drawn(crowd)
    assert found.apart == () and all(box.beyond == box.apart and len(box.apart) == 19 for box in found.boxes)


def test_mermaid_to_the_letter() -> None:
    assert shown(SHOP, "mermaid").split("\n") == [
        "flowchart LR",
        '  subgraph g0["one: Foundation"]',
        '    n0["<b>schema</b><br/>The tables<br/>10m00s"]',
        '    n1["<b>config</b>"]',
        "  end",
        '  subgraph g1["two"]',
        '    n2["<b>auth</b><br/>1m00s"]',
        '    n3["<b>ui</b><br/>12m00s"]',
        '    n4["<b>docs</b><br/>12m00s"]',
        "  end",
        '  n5(["all of one"])',
        "  n5 --> n2",
        "  n5 --> n3",
        "  n5 ==> n4",
        "  n0 ==> n5",
        "  n1 --> n5",
        "  classDef done fill:#d9f2e3,stroke:#14804a,color:#0b3d22",
        "  classDef critical stroke:#d9480f,stroke-width:3px",
        "  classDef end_of_phase fill:#eef1f5,stroke:#8592a3,color:#3c4654",
        "  class n1 done",
        "  class n0,n4 critical",
        "  class n5 end_of_phase",
    ]


def hostile() -> Plan:
    return plan(
        task(HOSTILE, title=HOSTILE, phase=HOSTILE, writes=(HOSTILE,)),
        task("b\x1b[31m\x00", HOSTILE, title="\x07 two\nlines", phase=HOSTILE, writes=(HOSTILE,)),
        task("名前" * 40, title="𝔘" * 300, phase="\u202eq"),
        name=HOSTILE,
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_no_name_is_more_than_a_name() -> None:
    found = Finding(
        code="x", severity="warning", message=HOSTILE, hint=HOSTILE, location=Location(file="<b>.md", line=1, column=2)
    )
    for kind in DRAWINGS:
        text = shown(hostile(), kind, [found])
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text), kind
        assert "<script" not in text or kind == "dot", kind
    ElementTree.fromstring(shown(hostile(), "svg"))
    parsed = Tags()
    parsed.feed(shown(hostile(), "html", [found]))
    assert "script" not in parsed.seen and "49" not in parsed.text and "alert(1)" in parsed.text
    for line in shown(hostile(), "mermaid").split("\n"):
        assert line.count('"') in (0, 2)
    for line in shown(hostile(), "dot").split("\n"):
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) in (0, 2)


def test_svg_has_every_task_and_every_arrow() -> None:
    root = ElementTree.fromstring(shown(SHOP, "svg"))
    space = "{http://www.w3.org/2000/svg}"
    groups = [x for x in root.iter(f"{space}g") if (x.get("class") or "").startswith("box")]
    names = [next(x.text for x in group.iter(f"{space}text")) for group in groups]
    assert names == ["schema", "config", "auth", "ui", "docs"]
    paths = [x for x in root.iter(f"{space}path") if (x.get("class") or "").startswith("arrow")]
    assert len(paths) == len(drawn(SHOP).arrows)
    told = "".join(root.itertext())
    assert "5 tasks, 1 done" in told and "takes turns for src/x.py" in told


def test_html_needs_nothing_else() -> None:
    text = shown(SHOP, "html", [Finding(code="overlap", severity="warning", message="they meet", hint="split it")])
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|src=|@import|url\(", text)
    assert "they meet" in text and "stretto run plan.yaml" in text and 'href="#n2"' in text
    assert text.count('class="lane"') == 2, "those of one file take turns"


@pytest.mark.parametrize("kind", DRAWINGS)
def test_plans_of_every_shape_are_drawn(kind: str) -> None:
    circle = plan(task("a", "b"), task("b", "a"), task("c", "b"), task("d"))
    done = plan(task("a", status="succeeded"), task("b", "a", status="succeeded"))
    for the_plan in (plan(), plan(task("a")), circle, done):
        assert shown(the_plan, kind)


@pytest.mark.parametrize("kind", DRAWINGS)
def test_a_large_plan_is_drawn_by_its_phases(kind: str) -> None:
    tasks = [task(f"t{i}", *([f"t{i - 50}"] if i >= 50 else []), phase=f"p{i // 50}") for i in range(6_000)]
    text = shown(plan(*tasks), kind)
    assert "t4711" not in text and "p119" in text and len(text) < 400_000


def test_folded_phases_know_what_is_in_them() -> None:
    found = drawn(SHOP, most=3)
    assert found.folded
    assert [(box.name, box.title, box.critical) for box in found.boxes] == [
        ("one", "1 of 2 tasks done", True),
        ("two", "0 of 3 tasks done", True),
    ]
    assert [(x.first, x.then) for x in found.arrows] == [(0, 1)]
