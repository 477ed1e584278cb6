"""Lint of contracts: who provides them, who uses them, and what that makes tasks wait for (R3, R1.3a)."""

from __future__ import annotations

import pytest

from stretto.analysis.graph import build
from stretto.analysis.lint import lint
from stretto.formats.load import load
from stretto.model.plan import Contract, Phase, Plan
from unit.analysis.findings import codes, only
from unit.analysis.plans import P, Q, plan, task

PROVIDER, USER = task("auth", provides=("api",), writes=("auth.py",)), task("ui", uses=("api",), writes=("ui.py",))
DECLARED = (Contract(id="api", schema="api.yaml"),)
SAID = (
    plan(PROVIDER, task("ui", "auth", uses=("api",))),
    plan(task("auth", provides=("api",), writes=("x",)), task("ui", uses=("api",), writes=("x",))),
    plan(PROVIDER, USER, task("other", provides=("api",))),
    plan(USER),
    plan(PROVIDER),
)
"""Every code of these rules is seen in one of them."""


def rest(the_plan: Plan) -> list[str]:
    """Codes but for the one that every plan with contracts gets."""
    found = codes(the_plan)
    found.remove("unsupported")
    return found


def test_r8_7_a_plan_with_contracts_is_not_run_yet() -> None:
    found = only(plan(PROVIDER, USER), "unsupported")
    assert found.unsupported
    assert found.tasks == ("auth", "ui")
    assert codes(plan(task("a"), contracts=DECLARED)) == ["contract-unused", "unsupported"]


def test_r3_1_a_contract_needs_a_provider_or_a_schema() -> None:
    assert rest(plan(USER, contracts=DECLARED)) == []
    assert rest(plan(USER)) == ["contract-unmet"]
    assert rest(plan(USER, contracts=(Contract(id="api"),))) == ["contract-unmet"]


def test_a_contract_that_is_misspelt_is_told() -> None:
    found = [x for x in lint(plan(PROVIDER, USER, task("late", uses=("apis",)))) if x.code == "contract-unmet"]
    assert [(x.tasks, x.hint) for x in found] == [(("late",), "did you mean `api`?")]


def test_two_providers_and_none_that_needs_them() -> None:
    twice = plan(PROVIDER, USER, task("other", provides=("api",), writes=("other.py",)))
    assert rest(twice) == ["contract-twice"]
    assert rest(plan(PROVIDER)) == ["contract-unused"]


def test_a_schema_that_is_not_there() -> None:
    the_plan = plan(PROVIDER, USER, contracts=DECLARED)
    assert codes(the_plan, exists=lambda path: path != "api.yaml") == ["missing-file", "unsupported"]


@pytest.mark.parametrize(
    "waiting",
    [
        plan(PROVIDER, task("ui", "auth", uses=("api",))),
        plan(PROVIDER, task("ui", "mid", uses=("api",)), task("mid", "auth")),
        plan(PROVIDER, task("ui", uses=("api",), phase="q"), phases=(P, Phase(id="q", depends_on=("p",)))),
        plan(PROVIDER, task("ui", uses=("api",)), phases=(Phase(id="p", parallel=False),)),
    ],
)
def test_r3_1_of_a_contract_and_a_dependency_the_stronger_counts(waiting: Plan) -> None:
    (found,) = [x for x in lint(waiting) if x.code == "contract-awaited"]
    assert found.tasks == ("ui", "auth")
    assert "the stronger counts" in found.message


def test_r3_1_claims_that_the_provider_needs_lose_the_early_start() -> None:
    base = task("base", writes=("src/**",))
    provider = task("auth", "base", provides=("api",), writes=("auth.py",))
    found = lint(plan(base, provider, task("ui", uses=("api",), writes=("src/ui.py",))))
    assert [x.tasks for x in found if x.code == "contract-overlap"] == [("ui", "auth")]
    beside = plan(
        provider, task("base"), task("aside", writes=("ui.py",)), task("ui", uses=("api",), writes=("ui.py",))
    )
    assert "contract-overlap" not in codes(beside)


def test_r1_3a_a_provider_that_waits_for_who_uses_it() -> None:
    stuck = plan(task("auth", "ui", provides=("api",)), task("ui", uses=("api",)))
    (found,) = [x for x in lint(stuck) if x.code == "wait-cycle"]
    assert set(found.tasks) == {"auth", "ui"}
    across = plan(task("a", uses=("y",), provides=("x",)), task("b", uses=("x",), provides=("y",)))
    assert rest(across) == ["wait-cycle"]
    phases = (P, Phase(id="q", depends_on=("p",)))
    assert "wait-cycle" in codes(
        plan(task("ui", uses=("api",)), task("auth", provides=("api",), phase="q"), phases=phases)
    )
    assert rest(plan(task("a", uses=("x",), provides=("x",)))) == ["self-dependency"]
    assert "wait-cycle" not in codes(plan(PROVIDER, USER, task("z", "ui", phase="q"), phases=(P, Q)))


def test_r8_7_what_a_plan_says_of_contracts_is_read_with_places() -> None:
    text = b"name: n\ncontracts:\n  api: {schema: api.yaml}\n  bare:\n"
    text += b"tasks:\n- {id: a, provides: api}\n- {id: b, uses: [api, x]}\n"
    loaded = load("plan.yaml", text)
    assert loaded.plan.contracts == (Contract(id="api", schema="api.yaml"), Contract(id="bare"))
    assert [(x.provides, x.uses) for x in loaded.plan.tasks] == [(("api",), ()), ((), ("api", "x"))]
    found = {x.code: x.location for x in lint(loaded.plan, loaded.places)}
    assert [(p.line, p.column) for code in ("contract-unmet", "contract-unused") if (p := found[code])] == [
        (7, 23),
        (4, 8),
    ]
    assert loaded.findings == ()


def test_r3_1_who_waits_for_a_user_waits_for_the_provider() -> None:
    phases = (P, Phase(id="q", depends_on=("p",)))
    the_plan = plan(PROVIDER, task("end", "ui"), task("ui", uses=("api",)), task("z", phase="q"), phases=phases)
    graph = build(the_plan)
    waits = {name: {graph.names[i] for i in needs} for name, needs in zip(graph.names, graph.needs, strict=True)}
    assert (waits["ui"], waits["end"], waits["z"]) == (set(), {"ui", "auth"}, {"p"})
    assert waits["p"] == {"auth", "end", "ui"}
    chained = plan(PROVIDER, task("b", uses=("api",), provides=("y",)), task("c", uses=("y",)), task("end", "c"))
    graph = build(chained)
    assert {graph.names[i] for i in graph.needs[3]} == {"c", "b", "auth"}
