"""Whatever comes as an event, the reader raises nothing; a number that cannot be meant is unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.agents.claude_stream import ClaudeStream
from stretto.model.run import Usage

INIT = {"type": "system", "subtype": "init", "cwd": "/w", "session_id": "5", "model": "m", "claude_code_version": "2"}
MODEL = {
    "inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 3, "cacheCreationInputTokens": 4, "costUSD": 0.5,
}  # fmt: skip
USE = {"type": "tool_use", "id": "t1", "name": "Write", "input": {"file_path": "/w/x"}}
FAILED = {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [{"type": "text", "text": "no"}]}
DONE: dict[str, Any] = {
    "type": "result", "subtype": "success", "is_error": False, "api_error_status": None, "num_turns": 3,
    "duration_ms": 12_300, "result": "done", "terminal_reason": "completed", "total_cost_usd": 0.5, "errors": ["e"],
    "permission_denials": [{"tool_name": "Write", "tool_input": {"file_path": "/w/x"}}],
    "modelUsage": {"m": MODEL}, "model_usage_since_last_result": {"m": MODEL},
}  # fmt: skip
RETRY = {"type": "system", "subtype": "api_retry", "error_status": 529, "error": "overloaded", "retry_delay_ms": 500}
LINES: list[dict[str, Any]] = [
    INIT,
    RETRY,
    DONE,
    {key: value for key, value in DONE.items() if key != "model_usage_since_last_result"},
    {**DONE, "is_error": True, "api_error_status": 429},
    {"type": "system", "subtype": "permission_denied", "tool_use_id": "t1", "tool_name": "Bash", "message": "no"},
    {"type": "system", "subtype": "status", "status": "compacting"},
    {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1, "rateLimitType": "five"}},
    {"type": "assistant", "message": {"model": "m", "content": [{"type": "text", "text": "on it"}, USE]}},
    {"type": "assistant", "error": "e", "message": {"model": "<synthetic>", "content": []}},
    {"type": "user", "message": {"content": [FAILED]}},
    {"type": "control_request", "request": {"subtype": "can_use_tool", "tool_name": "Bash"}},
]
HUGE = 10**400
ODD: list[Any] = [
    *(HUGE, -HUGE, 1e308, -1e308, -1, -1e15, 0, 0.5, True, None),
    *("\ud800", "\x00", "", "1", [], {}, ["x"], [[]], {"": []}, {"a": {"inputTokens": HUGE}}),
]
ANYTHING = st.recursive(
    st.sampled_from(ODD)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all that is inside of it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, item in inner for way in [(*at, key), *places(item, (*at, key))]]


def changed(value: Any, way: tuple[Any, ...], by: Any) -> Any:
    if not way:
        return by
    fresh = dict(value) if isinstance(value, dict) else list(value)
    fresh[way[0]] = changed(fresh[way[0]], way[1:], by)
    return fresh


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    event = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(1, 3))):
        event = changed(event, draw(st.sampled_from(places(event))), draw(ANYTHING)) if places(event) else event
    return event


def taken_in(*events: Any) -> tuple[ClaudeStream, list[str]]:
    stream = ClaudeStream()
    return stream, [text for event in events for text in stream.read(json.dumps(event).encode())]


def sane(stream: ClaudeStream, words: list[str]) -> None:
    for resumed in (False, True):
        end = stream.ending(resumed=resumed)
        usage = end.usage
        for tokens in (
            usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens,
        ):  # fmt: skip
            assert tokens is None or 0 <= tokens <= 10**14
        assert usage.cost_usd is None or 0 <= usage.cost_usd <= 10**8
        if end.trouble is not None and end.trouble.retry_after_s is not None:
            assert end.trouble.retry_after_s > 0
        "\n".join((*words, end.summary, end.asked, *end.refused)).encode()


def test_no_place_of_an_event_is_trusted() -> None:
    odd = [changed(event, way, by) for event in LINES for way in places(event) for by in ODD]
    assert len(odd) > 1000
    for event in odd:
        sane(*taken_in(INIT, event))
        sane(*taken_in(event, DONE))


@given(st.lists(mutations() | st.sampled_from(LINES), max_size=5))
def test_events_with_anything_in_them_raise_nothing(events: list[Any]) -> None:
    sane(*taken_in(*events))


@given(st.lists(st.dictionaries(st.sampled_from(["type", "subtype", "message"]) | st.text(), ANYTHING), max_size=4))
def test_any_objects_raise_nothing(events: list[Any]) -> None:
    sane(*taken_in(*events))


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_raise_nothing(lines: list[bytes]) -> None:
    stream = ClaudeStream()
    sane(stream, [text for line in lines for text in stream.read(line)])


@pytest.mark.parametrize("key", ["total_cost_usd", "num_turns", "duration_ms", "api_error_status"])
def test_a_number_that_no_float_holds_is_unknown(key: str) -> None:
    stream, words = taken_in({**DONE, "is_error": True, key: HUGE})
    assert words[0].startswith("failed: done")
    assert stream.ending(resumed=False).said


@pytest.mark.parametrize("odd", [HUGE, 1e308, 1e300, -9], ids=["huge", "infinite sum", "absurd", "negative"])
def test_spending_that_nobody_can_mean_is_unknown(odd: float) -> None:
    models = {"a": {**MODEL, "inputTokens": odd, "costUSD": odd}, "b": {**MODEL, "inputTokens": odd, "costUSD": odd}}
    stream, words = taken_in({**DONE, "model_usage_since_last_result": models})
    assert stream.ending(resumed=False).usage == Usage(
        input_tokens=None, output_tokens=4, cache_read_tokens=6, cache_write_tokens=8, cost_usd=None
    )
    assert words == ["done: 3 turns, 12.3 s"]
    stream, _ = taken_in({"type": "result", "total_cost_usd": odd})
    assert stream.ending(resumed=False).usage == Usage()


@pytest.mark.parametrize("delay", [-1e15, 0, HUGE, 1e300], ids=["negative", "none", "huge", "absurd"])
def test_a_delay_that_is_no_wait_is_no_delay(delay: float) -> None:
    stream, words = taken_in({**RETRY, "retry_delay_ms": delay}, {**DONE, "is_error": True, "api_error_status": 429})
    trouble = stream.ending(resumed=False).trouble
    assert trouble is not None and trouble.retry_after_s is None
    assert words[0] == "(529 overloaded: tries again)"
