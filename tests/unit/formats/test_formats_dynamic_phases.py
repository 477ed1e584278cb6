"""Dynamic phase plans: which files they are, order, claims, prompts, states and what there is to say about them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import cast

import pytest

from stretto.errors import PlanError
from stretto.formats.dynamic_phases.domains import DOMAINS, TITLES
from stretto.formats.load import FORMATS, Loaded, load
from stretto.formats.syntax.parse import parse
from stretto.model.plan import Finding, Task
from unit.formats.corpus import sample

SAMPLES = sorted(sample("dynamic-phases").iterdir())


def plan(*phases: dict[str, object], **more: object) -> bytes:
    """Phases numbered from 1, of the domain `feature` and with one feature, unless they say otherwise."""
    basic = [
        {"number": i, "name": f"P{i}", "domain": "feature", "features": [f"Thing {i}"], "dependencies": []}
        for i in range(1, len(phases) + 1)
    ]
    whole = [{**base, **phase} for base, phase in zip(basic, phases, strict=True)]
    return json.dumps({"appName": "App", **more, "phases": whole}).encode()


def read(*phases: dict[str, object], **more: object) -> Loaded:
    return load("plan.json", plan(*phases, **more))


def tasks(loaded: Loaded) -> dict[str, Task]:
    return {task.id: task for task in loaded.plan.tasks}


def needs(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    return {task.id: task.depends_on for task in loaded.plan.tasks}


def found(loaded: Loaded, code: str) -> Finding:
    (finding,) = (x for x in loaded.findings if x.code == code)
    return finding


def codes(loaded: Loaded) -> set[str]:
    return {x.code for x in loaded.findings}


# --- which files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_content_decides(path: Path) -> None:
    assert load("any.name", path.read_bytes()).plan.format == ("dynamic-phases")


@pytest.mark.parametrize(
    "around",
    [
        ("plan",),
        ("phasePlan",),
        ("dynamicPhasePlan",),
        ("planSnapshot", "plan"),
        ("plan_snapshot", "plan"),
        ("state", "dynamicPhasePlan"),
        ("state", "currentComponent", "dynamicPhasePlan"),
    ],
)
def test_a_plan_within_an_export_is_found_and_written_where_it_stands(around: tuple[str, ...]) -> None:
    tree: object = json.loads(plan({}, {}))
    for key in reversed(around):
        tree = {"version": 1, key: tree, "name": "x"}
    data = json.dumps(tree).encode()
    loaded = load("export.json", data)
    assert (loaded.plan.name, loaded.plan.format, len(loaded.plan.tasks)) == ("App", "dynamic-phases", 2)
    assert loaded.write_statuses is not None
    written = loaded.write_statuses(data, {"2": "succeeded"})
    assert written == data.replace(
        b'"features": ["Thing 2"], "dependencies": []',
        b'"features": ["Thing 2"], "dependencies": [], "status": "completed"',
    )


@pytest.mark.parametrize(
    ("tree", "format"),
    [
        ({"phases": [{"number": 1, "features": ["x"]}]}, "dynamic-phases"),
        ({"phases": [{"phaseNumber": 1, "domain": "auth"}]}, "dynamic-phases"),
        ({"phases": [{"domain": "auth", "features": ["x"]}]}, "dynamic-phases"),
        ({"phases": [{"name": "x", "testCriteria": [], "dependencyNames": []}]}, "dynamic-phases"),
        ({"phases": [], "appName": "x", "totalPhases": 0}, "dynamic-phases"),
        ({"phases": 3, "appName": "x", "totalPhases": 0, "concept": {}, "accumulatedFiles": []}, "dynamic-phases"),
        ({"name": "x", "phases": [{"id": "a", "tasks": [{"id": "b", "prompt": "c"}]}]}, "stretto"),
        ({"name": "x", "phases": [{"id": "a", "number": 1, "domain": "auth", "tasks": []}]}, "stretto"),
        ({"name": "x", "phases": []}, "stretto"),
        ({"phases": [{"number": 1, "name": "x", "subtasks": [{"id": "1", "description": "d"}]}]}, "auto-claude"),
        ({"feature": "x", "phases": []}, "auto-claude"),
        ({"master": {"tasks": [{"id": 1, "title": "x", "dependencies": []}]}}, "task-master"),
        ({"phases": [{"number": 1, "name": "x"}]}, None),
        ({"phases": [{"name": "x", "estimatedTime": "1h"}]}, None),
        ({"phases": [{"number": 1, "domain": "auth"}], "tasks": [{"id": 1}]}, None),
        ({"plan": {"phases": [{"name": "x"}]}}, None),
    ],
)
def test_other_formats_keep_their_files(tree: object, format: str | None) -> None:
    source = parse("x.json", json.dumps(tree).encode())
    assert next((x.name for x in FORMATS if x.recognises(source)), None) == format


@pytest.mark.parametrize(
    ("broken", "code", "column"),
    [
        (
            b'{"appName": "x", "totalPhases": 1, "phases": {"a": 1}, "concept": 1, "accumulatedFiles": []}',
            "wrong-type",
            46,
        ),
        (b'{"phases": [{"domain": "auth", "features": ["x"]}]}', "missing-key", 13),
        (b'{"phases": [{"number": true, "features": ["x"]}]}', "wrong-type", 24),
        (b'{"phases": [{"number": [1], "features": ["x"]}]}', "wrong-type", 24),
        (b'{"phases": [{"number": "", "features": ["x"]}]}', "wrong-value", 24),
        (b'{"phases": [{"number": 1, "domain": "auth"}]}', "missing-key", 13),
        (b'{"phases": [{"number": 1, "features": ["x"]}, 7]}', "wrong-type", 47),
        (b'{"phases": [{"number": 1, "features": ["x"], "dependencies": [{}]}]}', "wrong-type", 63),
        (b'{"phases": [{"number": 1, "features": ["x"], "dependencies": [true]}]}', "wrong-type", 63),
        (b'{"phases": [{"number": 1, "features": ["x"], "plannedFiles": [1]}]}', "wrong-type", 63),
    ],
)
def test_what_is_wrong_has_a_place_and_a_hint(broken: bytes, code: str, column: int) -> None:
    with pytest.raises(PlanError) as caught:
        load("x.json", broken)
    finding = caught.value.findings[0]
    assert (finding.code, finding.location and finding.location.column) == (code, column)
    assert finding.hint


# --- ids and phases -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "id"),
    [
        *((3, "3"), (3.0, "3"), ("3", "3"), (" 3 ", "3"), ("Phase 3", "3"), ("phase #03", "3"), ("3.0", "3")),
        *((0, "0"), ("00", "0"), (2.5, "2.5"), (-1, "-1"), (10**30, str(10**30)), (1e300, "1e+300"), ("auth", "auth")),
    ],
)
def test_a_number_is_an_id(number: object, id: str) -> None:
    assert list(tasks(read({"number": number}))) == [id]


def test_the_21_domains_are_in_5_categories() -> None:
    assert len(DOMAINS) == 21
    assert {domain.category for domain in DOMAINS.values()} | {"other"} == set(TITLES)
    loaded = read(*[dict[str, object](domain=domain) for domain in DOMAINS])
    assert {x.phase for x in loaded.plan.tasks} == {x.id for x in loaded.plan.phases} == set(TITLES) - {"other"}
    assert "unknown-domain" not in codes(loaded)


def test_phases_are_no_steps() -> None:
    loaded = load(sample("dynamic-phases/bakery.json"))
    assert [(x.id, x.title) for x in loaded.plan.phases] == [
        ("infrastructure", "Infrastructure"),
        ("core", "Core of the app"),
        ("integration", "Integration"),
        ("ui", "User interface"),
    ]
    assert all(phase.parallel and not phase.depends_on for phase in loaded.plan.phases)
    assert [task.id for task in loaded.plan.tasks] == ["1", "2", "3", "4", "5", "7", "8", "9"]
    assert loaded.places["task:4"].line == 96


@pytest.mark.parametrize(
    ("domain", "phase"), [("Real Time", "integration"), ("core_entity", "core"), (" AUTH ", "infrastructure")]
)
def test_a_domain_in_another_spelling(domain: str, phase: str) -> None:
    loaded = read({"domain": domain})
    assert (tasks(loaded)["1"].phase, codes(loaded) & {"unknown-domain"}) == (phase, set())


def test_an_unknown_domain_is_told_with_what_was_meant() -> None:
    loaded = read({"domain": "analitics"})
    finding = found(loaded, "unknown-domain")
    assert (finding.severity, finding.hint) == ("warning", "did you mean `analytics`?")
    assert (tasks(loaded)["1"].phase, tasks(loaded)["1"].writes) == ("other", None)
    assert "known are: setup, database" in found(read({"domain": "qqqqq"}), "unknown-domain").hint


# --- order ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ([1, 2], ("1", "2")),
        ([2.0, "1"], ("2", "1")),
        (["Phase 2", "phase 1"], ("2", "1")),
        (["P2", "p1"], ("2", "1")),
        ([None, 1, 1, "none", ""], ("1",)),
        (2, ("2",)),
        ("1, 2", ("1", "2")),
        ("P1 and Phase 2", ("1", "2")),
        ([9, "who"], ("9", "who")),
        (["P1 and nobody"], ("P1 and nobody",)),
        ([], ()),
    ],
)
def test_dependencies_as_people_write_them(dependencies: object, expected: tuple[str, ...]) -> None:
    loaded = read({}, {}, {"dependencies": dependencies})
    assert needs(loaded)["3"] == expected
    assert not codes(loaded) & {"order-guessed", "polish-last", "dependency-names"}


def test_a_dependency_has_its_place() -> None:
    loaded = read({}, {}, {"dependencies": ["who", None, 9]})
    who, nine = (loaded.places[f"task:3:depends_on:{i}"] for i in (0, 1))
    text = plan({}, {}, {"dependencies": ["who", None, 9]}).decode()
    assert (who.column, nine.column) == (text.index('"who"') + 1, text.rindex("9]") + 1)


def test_names_count_where_there_are_no_numbers() -> None:
    loaded = read(
        {"domain": "setup", "name": "Layout Injection"},
        {"domain": "database", "name": "Tables", "dependencyNames": ["Project Setup"], "dependencies": None},
        {"dependencyNames": ["Database Schema", "layout injection"], "dependencies": None},
        {"dependencyNames": ["Nobody"], "dependencies": None},
    )
    assert needs(loaded) == {"1": (), "2": ("1",), "3": ("2", "1"), "4": ("Nobody",)}
    assert "order-guessed" not in codes(loaded)


def test_names_without_their_number_are_told() -> None:
    loaded = read({"name": "Base"}, {"name": "Shop"}, {"dependencies": [1], "dependencyNames": ["Base", "shop", "?"]})
    assert needs(loaded)["3"] == ("1",)
    finding = found(loaded, "dependency-names")
    assert (finding.severity, finding.tasks) == ("info", ("3",))
    assert finding.message.startswith("`dependencyNames` of phase `3` also has `shop`;")


UNSAID: dict[str, object] = {"dependencies": None}


def test_without_dependencies_it_is_what_the_planner_writes() -> None:
    after: dict[str, object] = {"featureDetails": [{"dependencies": ["P4", "Nothing known", "P7"]}]}
    loaded = read(
        {**UNSAID, "domain": "setup"},
        {**UNSAID, "domain": "database"},
        {**UNSAID, "domain": "auth"},
        {**UNSAID, "domain": "feature"},
        {**UNSAID, "domain": "admin"},
        {**UNSAID, **after, "domain": "storage"},
        {"domain": "ui-role"},
        {**UNSAID, "domain": "polish"},
    )
    assert needs(loaded) == {
        "1": (), "2": ("1",), "3": ("1", "2"), "4": ("1", "2"), "5": ("1", "2", "3"), "6": ("1", "4", "2"), "7": (),
        "8": ("1", "2", "5", "6", "7"),
    }  # fmt: skip
    finding = found(loaded, "order-guessed")
    assert (finding.severity, finding.tasks) == ("info", ("2", "3", "4", "5", "6", "8"))
    assert "polish-last" not in codes(loaded)


def test_what_the_file_says_gets_no_edges_of_the_planner() -> None:
    loaded = read({"domain": "setup"}, {"domain": "database"}, {"domain": "admin"})
    assert needs(loaded) == {"1": (), "2": (), "3": ()}
    assert "order-guessed" not in codes(loaded)


def test_polish_waits_for_all_others() -> None:
    loaded = read({}, {"dependencies": [1]}, {"dependencies": [1]}, {"domain": "polish", "dependencies": [1, 2]})
    assert needs(loaded)["4"] == ("1", "2", "3")
    finding = found(loaded, "polish-last")
    assert (finding.severity, finding.tasks, finding.message) == (
        "info", ("4",), "phase `4`: what polishes the others' work also waits for `3`",
    )  # fmt: skip


def test_polish_that_says_so_itself_is_not_told() -> None:
    loaded = read({}, {"dependencies": [1]}, {"domain": "polish", "dependencies": [2]})
    assert needs(loaded)["3"] == ("2",)
    assert "polish-last" not in codes(loaded)


def test_polish_never_closes_a_circle() -> None:
    loaded = read({"domain": "polish"}, {}, {"dependencies": [1]}, {"domain": "polish"}, {"dependencies": [4]})
    order = needs(loaded)
    assert order["1"] == ("2",)
    assert set(order["4"]) == {"3"}
    done: set[str] = set()
    while ready := [id for id, names in order.items() if id not in done and done.issuperset(names)]:
        done.update(ready)
    assert done == set(order)


def test_polish_and_what_is_skipped() -> None:
    loaded = read({}, {"dependencies": [1], "status": "skipped"}, {"domain": "polish"})
    assert needs(loaded) == {"1": (), "3": ("1",)}
    assert found(loaded, "set-aside").message.startswith("2: cancelled in this plan")


def above(order: dict[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """Everything that each waits for, over any number of others."""
    reach = {id: set(names) for id, names in order.items()}
    for _ in order:
        reach = {id: names.union(*(reach[name] for name in names)) for id, names in reach.items()}
    return reach


def test_polish_in_random_plans_is_behind_all_that_do_not_wait_for_it() -> None:
    chance = random.Random(3)
    for _ in range(200):
        phases: list[dict[str, object]] = [
            {
                "domain": chance.choice(["feature", "polish", "auth"]),
                "dependencies": [x for x in range(1, i) if chance.random() < 0.3],
            }
            for i in range(1, chance.randrange(3, 12))
        ]
        reach = above(needs(read(*phases)))
        assert all(id not in names for id, names in reach.items())
        for id, phase in zip(reach, phases, strict=True):
            said = {str(x) for x in cast("list[int]", phase["dependencies"])}
            assert said <= reach[id]
            if phase["domain"] == "polish":
                assert all(other == id or other in reach[id] or id in reach[other] for other in reach)


# --- claims ---------------------------------------------------------------------------------------------------------


def test_planned_files_are_claims_as_they_are_written() -> None:
    loaded = read({"plannedFiles": ["src/a.ts", "src\\b.ts", "./c/", "src/a.ts"]})
    assert tasks(loaded)["1"].writes == ("src/a.ts", "src/b.ts", "c/")
    assert tasks(loaded)["1"].effect == "changes"
    assert loaded.places["task:1:writes:1"].column > loaded.places["task:1:writes:0"].column
    assert "claims-guessed" not in codes(loaded)


def test_a_planned_file_that_is_no_path_leaves_the_scope_unknown() -> None:
    loaded = read({"plannedFiles": ["src/a.ts", "wherever it fits"]})
    assert tasks(loaded)["1"].writes is None
    assert found(loaded, "vague-path").severity == "warning"


@pytest.mark.parametrize(
    ("phase", "covers"),
    [
        ({"domain": "setup"}, ("src/*", "*")),
        ({"domain": "database"}, ("prisma/**", "src/lib/db*")),
        ({"domain": "auth"}, ("src/auth/**",)),
        ({"features": ["Contact Form"]}, ("src/components/contact-form.tsx", "src/hooks/useContactForm.ts")),
        ({"features": ["shopping cart"], "plannedFiles": []}, ("src/components/shopping-cart.tsx",)),
        ({"builtFiles": ["x/y.ts"]}, ("x/y.ts",)),
        ({"domain": "i18n", "architectureContext": {"files": [{"path": "src/x.ts"}]}}, ("src/x.ts",)),
    ],
)
def test_a_guess_of_claims_is_told_and_asks_for_no_change(phase: dict[str, object], covers: tuple[str, ...]) -> None:
    loaded = read(phase)
    task = tasks(loaded)["1"]
    assert set(covers) <= set(task.writes or ())
    assert task.effect == "any"
    assert "a guess" in task.prompt
    assert (found(loaded, "claims-guessed").severity, found(loaded, "claims-guessed").tasks) == ("info", ("1",))


@pytest.mark.parametrize(
    "phase",
    [
        {"domain": "polish"},
        {"domain": "backend-validator"},
        {"domain": None},
        {"features": ["Semantic HTML structure with nav and main and footer"]},
        {"features": ["…"]},
        {"features": []},
    ],
)
def test_where_nothing_can_be_said_the_scope_is_unknown(phase: dict[str, object]) -> None:
    loaded = read({"description": "d", **phase})
    assert (tasks(loaded)["1"].writes, tasks(loaded)["1"].effect) == (None, "any")
    assert "claims-guessed" not in codes(loaded)


def test_nobody_is_told_of_guesses_for_what_is_done() -> None:
    assert found(read({"status": "completed"}, {}), "claims-guessed").tasks == ("2",)


def test_a_layout_claims_its_files_and_brings_them_along() -> None:
    files = [{"path": "app/page.tsx", "content": "export {}"}, {"path": "b.css", "content": "x" * 70_000}]
    task = tasks(read({"isLayoutInjection": True, "domain": None}, layoutBuilderFiles=files))["1"]
    assert {"app/page.tsx", "b.css"} <= set(task.writes or ())
    assert task.phase == "infrastructure"
    assert "app/page.tsx\n```\nexport {}\n```" in task.prompt
    assert "xxx" not in task.prompt
    assert "under `layoutBuilderFiles`:\n- b.css" in task.prompt


# --- prompts --------------------------------------------------------------------------------------------------------


def test_a_prompt_has_everything_that_helps() -> None:
    prompt = tasks(load(sample("dynamic-phases/bakery.json")))["4"].prompt
    for told in (
        "# Bakery\n\nOrders for a bakery",
        "Who it is for: Regular customers",
        "Data models:\n- - name: Order",
        "## Phase 4: Order form\n\nOrder form of the bakery",
        "- Order form: Customers choose breads and a time\n- Basket",
        "Features that are built:\n- Layout as drawn",
        "- Database Schema: Two tables",
        "Interfaces to keep:",
        "After this phase:\n- Order form works",
    ):
        assert told in prompt
    for kept in ("f1", "2026", "estimated", "1200", "plan-1"):
        assert kept not in prompt


def test_a_prompt_has_the_architecture_and_the_earlier_failure() -> None:
    context = {
        "prismaSchema": "model A {\n}",
        "apiRoutes": [{"method": "GET", "path": "/api/a", "description": "all"}],
        "files": [{"path": "src/a.ts", "description": "the client"}],
    }
    loaded = read(
        {"architectureContext": context, "errors": ["it broke"], "relevantRoles": ["baker"], "ownKey": "own words"},
        phaseContexts={"feature": {"userDecisions": ["blue"], "tokenEstimate": 7}, "auth": {"userDecisions": ["red"]}},
    )
    prompt = tasks(loaded)["1"].prompt
    for told in (
        "```prisma\nmodel A {\n}\n```",
        "- GET /api/a: all",
        "- src/a.ts: the client",
        "An earlier attempt ended with:\n- it broke",
        "Who uses it:\n- baker",
        "Own key: own words",
        "User decisions:\n  - blue",
    ):
        assert told in prompt
    assert "red" not in prompt
    assert "7" not in prompt


def test_a_prompt_does_not_grow_without_end() -> None:
    prompt = tasks(read({"conceptContext": {"conversationContext": "word " * 50_000}}))["1"].prompt
    assert len(prompt) < 15_000
