"""The insides of a run: every event and every field of a state can be shown, whatever it holds."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core import events as ev
from stretto.observe.inspection import concerns, event_lines, insides, instant, state_lines
from stretto.ports import Recorded
from stretto.testing.tables import Told, task

EVENTS = get_args(ev.Event)


def sample(kind: type[Any], word: str) -> Any:
    """An event of that kind whose texts are all `word`."""
    body: dict[str, object] = {"kind": kind.__name__, "at": 1.5}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in body:
            body[field.name] = OF_KIND.get((kind, field.name), VALUES.get(field.name, word))
    return msgspec.convert(body, ev.Event)


VALUES: dict[str, object] = {
    "attempt": 2, "batch": 3, "engine": True, "parallel": 4, "until": 9.0, "paths": ["p"], "commit": "c" * 40,
    "plan": {"name": "n", "format": "stretto"}, "settings": {}, "tasks": ["t", "u"],
    "landed": [{"task": "t", "attempt": 1, "commit": None}], "failure": {"kind": "failed", "message": "no"},
    "wish": {"kind": "TasksCancelled", "at": 1.0, "tasks": ["t"]},
}  # fmt: skip


OF_KIND: dict[tuple[type[Any], str], object] = {
    (ev.PlanChanged, "tasks"): [{"id": "t", "phase": "p"}],
    (ev.PlanChanged, "phases"): [{"id": "p"}],
}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_kind_of_event_is_a_line(kind: type[Any]) -> None:
    (said,) = event_lines([Recorded(seq=7, event=sample(kind, "t"))])
    assert said.startswith(f"     7  {instant(1.5)}  {kind.__name__}")
    about = {"task", "tasks", "wish", "landed"} & {field.name for field in msgspec.structs.fields(kind)}
    if about and all(field.required for field in msgspec.structs.fields(kind) if field.name in about):
        assert concerns(sample(kind, "t"), "t")


@given(st.text(), st.sampled_from(EVENTS))
def test_an_event_is_one_line_whatever_it_holds(word: str, kind: type[Any]) -> None:
    (said,) = event_lines([Recorded(seq=1, event=sample(kind, word))])
    assert len(said.splitlines()) == 1


def test_a_state_after_any_event_is_data_and_lines() -> None:
    run = Told(task("a", writes=("x",)), task("b", "a"))
    run.granted("a")
    told = insides(run.coordinator)
    assert msgspec.json.decode(msgspec.json.encode(told))["claims"] == {"a": ["x"]}
    assert [record["state"] for record in told["tasks"]] == ["running", "pending"]
    lines = list(state_lines(told))
    assert any(said.split() == ["a", "[x]"] for said in lines)
    assert next(said for said in lines if said.startswith("  b ")).split() == ["b", "pending", "claims=None"]


def test_instants_are_to_the_millisecond() -> None:
    assert instant(86400.25) == "1970-01-02 00:00:00.250"
