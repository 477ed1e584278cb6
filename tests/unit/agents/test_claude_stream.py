"""Claude Code's events: lines as version 2.1.330 writes them, shortened, and what must come of them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from stretto.agents.claude_stream import LINE, TEXT, ClaudeStream
from stretto.agents.profiles import CLAUDE
from stretto.agents.stream import failure_of
from stretto.model.run import FailureKind, Usage

INIT = {
    "type": "system", "subtype": "init", "cwd": "/w/a", "session_id": "5fe4f946", "model": "claude-opus-5-5",
    "permissionMode": "acceptEdits", "claude_code_version": "2.1.330",
}  # fmt: skip
SPENT = {"inputTokens": 182, "outputTokens": 60, "cacheReadInputTokens": 19632, "cacheCreationInputTokens": 18187}
DONE: dict[str, Any] = {
    "type": "result", "subtype": "success", "is_error": False, "api_error_status": None, "num_turns": 3,
    "duration_ms": 12_300, "result": "All done.", "terminal_reason": "completed", "total_cost_usd": 0.5,
    "permission_denials": [],
    "modelUsage": {"claude-opus-5-5": {**SPENT, "costUSD": 0.5}},
    "model_usage_since_last_result": {"claude-opus-5-5": {**SPENT, "costUSD": 0.0967894}},
}  # fmt: skip


def said(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"model": "claude-opus-5-5", "content": list(blocks)}, **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "toolu_1", "name": tool, "input": arguments}


def fell(message: str, *, error: str = "", **more: Any) -> list[dict[str, Any]]:
    """The last two lines of a process whose request was refused for good."""
    told = {
        "type": "assistant", "message": {"model": "<synthetic>", "content": [text(message)]}, "error": error,
        "is_api_error_message": True,
    }  # fmt: skip
    end = {**DONE, "is_error": True, "terminal_reason": "api_error", "result": message, "total_cost_usd": 0, **more}
    return [told, {**end, "modelUsage": {}, "model_usage_since_last_result": {}}]


def read(*events: dict[str, Any] | bytes) -> tuple[ClaudeStream, list[str]]:
    stream = ClaudeStream()
    lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    return stream, [text for line in lines for text in stream.read(line)]


def test_people_read_what_it_says_and_does() -> None:
    refused = {"type": "tool_result", "tool_use_id": "toolu_2", "content": "No such file\nor folder", "is_error": True}
    stream, lines = read(
        INIT,
        said(text("I will write it."), use("Write", file_path="/w/a/src/hello.txt", content="hi\n" * 900)),
        said(use("Bash", command="make test\necho two", description="run")),
        {"type": "user", "message": {"role": "user", "content": [refused]}},
        said(text("All done.")),
        DONE,
    )
    assert lines == [
        "Claude Code 2.1.330, model claude-opus-5-5, session 5fe4f946",
        "I will write it.",
        "> Write src/hello.txt",
        "> Bash make test",
        "! No such file",
        "All done.",
        "done: 3 turns, 12.3 s, $0.0968",
    ]
    assert stream.began and stream.answered
    end = stream.ending(resumed=False)
    assert end.said and end.trouble is None
    assert end.summary == "All done."


def test_money_and_tokens_are_those_of_this_process_also_in_a_session_that_went_on() -> None:
    stream, _ = read(INIT, DONE)
    exact = Usage(
        input_tokens=182 + 19632 + 18187,
        output_tokens=60,
        cache_read_tokens=19632,
        cache_write_tokens=18187,
        cost_usd=0.0967894,
    )
    assert stream.ending(resumed=True).usage == exact
    assert stream.ending(resumed=False).usage == exact


def test_several_results_of_one_process_are_added_up() -> None:
    stream, _ = read(INIT, DONE, said(text("One more.")), {**DONE, "result": "Now it is."})
    end = stream.ending(resumed=False)
    assert end.usage.cost_usd == pytest.approx(2 * 0.0967894)
    assert end.summary == "Now it is."


def test_an_older_version_tells_only_totals_and_what_is_not_known_is_none() -> None:
    old = {key: value for key, value in DONE.items() if key != "model_usage_since_last_result"}
    stream, _ = read(INIT, old)
    assert stream.ending(resumed=False).usage.cost_usd == 0.5
    assert stream.ending(resumed=True).usage == Usage()  # its total may be that of the whole session
    stream, _ = read(INIT, {"type": "result", "subtype": "success", "is_error": False, "result": "x"})
    assert stream.ending(resumed=False).usage == Usage()


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (fell("API Error: 529 Overloaded", error="server_error", api_error_status=529), "overloaded"),
        (fell("API Error: 503 no", error="server_error", api_error_status=503), "overloaded"),
        (fell("API Error: 500 no", error="server_error", api_error_status=500), "transient"),
        (fell("Connection refused (ECONNREFUSED)", error="server_error", api_error="connection_failed"), "transient"),
        (fell("Request rejected (429) · slow down", error="rate_limit", api_error_status=429), "rate_limited"),
        (fell("Failed to authenticate", error="authentication_failed", api_error_status=401), "auth"),
        (fell("Failed to authenticate", error="authentication_failed", api_error_status=403), "auth"),
        (fell("Not logged in · Please run /login", error="authentication_failed"), "auth"),
        (fell("Credit balance is too low", error="billing_error", api_error_status=400), "auth"),
        (fell("There's an issue with the model", error="model_not_found", api_error_status=404), "permanent"),
        (fell("API Error: 400 no", error="unknown", api_error_status=400), "permanent"),
        (fell("Request too large", error="invalid_request", api_error_status=413), "permanent"),
        (fell("Prompt is too long", error="invalid_request", terminal_reason="blocking_limit"), "permanent"),
        (fell("", subtype="error_max_turns", terminal_reason="max_turns", errors=["Reached maximum"]), "failed"),
        (fell("", subtype="error_max_budget_usd", terminal_reason="budget_exhausted", errors=["$1"]), "permanent"),
        (fell("", subtype="error_during_execution", terminal_reason="aborted_tools", errors=["x"]), "transient"),
        (fell("Something nobody has seen before"), "failed"),
    ],
)
def test_r4_errors_have_kinds_although_the_subtype_says_success(end: list[dict[str, Any]], kind: FailureKind) -> None:
    stream, _ = read(INIT, *end)
    ending = stream.ending(resumed=False)
    assert ending.trouble is not None
    failure = failure_of(ending.trouble, CLAUDE.errors)
    assert failure.kind == kind
    assert failure.message
    assert not stream.answered, "an error is no answer"
    assert ending.usage.cost_usd == 0, "it says that it has spent nothing, which is known"


def test_r4_a_rate_limit_says_when_to_come_back_and_other_errors_do_not() -> None:
    retry = {"type": "system", "subtype": "api_retry", "retry_delay_ms": 62_487, "error_status": 429}
    stream, lines = read(INIT, {**retry, "error": "rate_limit"}, *fell("Request rejected (429)", api_error_status=429))
    assert "(429 rate_limit: tries again in 62.5 s)" in lines
    trouble = stream.ending(resumed=False).trouble
    assert trouble is not None and failure_of(trouble, CLAUDE.errors).retry_after_s == pytest.approx(62.487)
    stream, _ = read(INIT, retry, *fell("no", api_error_status=401))
    trouble = stream.ending(resumed=False).trouble
    assert trouble is not None and failure_of(trouble, CLAUDE.errors).retry_after_s is None


def limit(resets_at: float | None) -> list[dict[str, Any]]:
    info = {"status": "rejected", "resetsAt": resets_at, "rateLimitType": "five_hour"}
    return [
        {"type": "rate_limit_event", "rate_limit_info": info},
        *fell("You've hit your 5-hour limit · resets 11:19pm (UTC)", error="rate_limit", api_error_status=429),
    ]


def test_r4_a_usage_limit_is_quota_until_it_is_reset() -> None:
    stream, lines = read(INIT, *limit(time.time() + 3600))
    trouble = stream.ending(resumed=False).trouble
    assert trouble is not None
    failure = failure_of(trouble, CLAUDE.errors)
    assert failure.kind == "quota"
    assert 3500 < (failure.retry_after_s or 0) <= 3600
    assert "the usage limit (five hour) is reached, resets" in lines[1]


@pytest.mark.parametrize("resets_at", [None, 1_000_000.0])
def test_r4_quota_without_a_future_reset_is_rate_limited(resets_at: float | None) -> None:
    stream, _ = read(INIT, *limit(resets_at))
    trouble = stream.ending(resumed=False).trouble
    assert trouble is not None and failure_of(trouble, CLAUDE.errors).kind == "rate_limited"


def test_a_limit_that_did_not_keep_it_from_going_on_is_none() -> None:
    stream, _ = read(INIT, limit(time.time() + 3600)[0], said(text("paid for")), *fell("no", api_error_status=500))
    trouble = stream.ending(resumed=False).trouble
    assert trouble is not None and failure_of(trouble, CLAUDE.errors).kind == "transient"


def test_a_warning_about_a_limit_is_no_limit() -> None:
    event = {"type": "rate_limit_event", "rate_limit_info": {"status": "allowed_warning", "resetsAt": time.time() + 9}}
    stream, lines = read(INIT, event, said(text("x")), DONE)
    assert stream.ending(resumed=False).trouble is None
    assert not any("limit" in line for line in lines)


def test_a_refused_tool_is_no_failure_but_it_is_told() -> None:
    why = "Claude requested permissions to write to /etc/hosts, but you haven't granted it yet."
    denied = {"tool_name": "Write", "tool_use_id": "toolu_1", "tool_input": {"file_path": "/etc/hosts"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": why, "is_error": True}
    stream, lines = read(
        INIT,
        said(use("Write", file_path="/etc/hosts", content="x")),
        {
            "type": "system",
            "subtype": "permission_denied",
            "tool_name": "Write",
            "tool_use_id": "toolu_1",
            "message": why,
        },
        {"type": "user", "message": {"content": [result]}},
        {**DONE, "permission_denials": [denied, denied]},
    )
    end = stream.ending(resumed=False)
    assert end.trouble is None
    assert end.refused == ("Write /etc/hosts",)
    assert sum("haven't granted" in line for line in lines) == 1


def test_a_question_that_nobody_answers_is_remembered() -> None:
    asks = {"type": "control_request", "request": {"subtype": "can_use_tool", "tool_name": "Bash"}}
    assert read(INIT, asks)[0].ending(resumed=False).asked == "Bash"
    assert read(INIT, asks, DONE)[0].ending(resumed=False).asked == ""


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xfe\x00\x01binary\x1b[31m",
        b'{"type": "assistant", "message": {"content": [{"type": "te',
        b"[1, 2]",
        b"null",
        b'{"type": 5, "subtype": []}',
        b'{"type": "assistant", "message": "words"}',
        b'{"type": "assistant", "message": {"content": "words"}}',
        b'{"type": "assistant", "message": {"content": [7, {"type": "text", "text": 9}, {"type": "tool_use"}]}}',
        b'{"type": "user", "message": {"content": [{"type": "tool_result", "is_error": true, "content": [1, {}]}]}}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": "soon"}}',
        b'{"type": "system", "subtype": "api_retry", "retry_delay_ms": null, "error_status": {}}',
        b'{"type": "result", "is_error": "yes", "permission_denials": 3, "model_usage_since_last_result": {"m": 4}}',
        b'{"type": "result", "model_usage_since_last_result": [], "total_cost_usd": "free", "errors": "x"}',
        b'{"type": "result", "subtype": "error", "errors": 5, "api_error_status": "?", "permission_denials": [1]}',
        b'{"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1e300}}',
        b"[" * 100_000,
        b"",
        b"   ",
    ],
)
def test_whatever_comes_it_goes_on_reading(junk: bytes) -> None:
    stream, lines = read(INIT, junk, said(text("still here")), DONE)
    assert "still here" in lines
    end = stream.ending(resumed=False)
    assert end.said and end.summary == "All done."
    assert all("\x1b" not in line and "\x00" not in line for line in lines)
    read(junk)[0].ending(resumed=True)


def test_lines_for_people_are_bounded_and_have_no_keys() -> None:
    _, lines = read(
        INIT,
        said(text("long " * 5000), use("Bash", command="x" * 5000)),
        said(text("the key is sk-ant-api03-abcdefghijklmnop")),
        b"y" * 100_000,
    )
    assert max(map(len, lines)) <= TEXT
    assert len(lines[2]) <= LINE and len(lines[4]) <= LINE
    assert "abcdefghijklmnop" not in lines[3]


def test_of_one_that_was_killed_the_tokens_of_its_answers_are_known() -> None:
    def answer(id: str, output: int) -> dict[str, Any]:
        told = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 10}
        event = said(text("I begin"), parent_tool_use_id=None)
        return {**event, "message": {**event["message"], "id": id, "usage": {**told, "output_tokens": output}}}

    events = [INIT, answer("m1", 1), answer("m1", 30), answer("m2", 2), said(text("no figures"))]
    assert read(*events)[0].ending(resumed=True).usage == Usage(
        input_tokens=230, output_tokens=32, cache_read_tokens=200, cache_write_tokens=20, cost_usd=None
    )
    odd = answer("m3", 1)
    odd["message"]["usage"]["output_tokens"] = None
    assert read(*events, odd)[0].ending(resumed=False).usage.output_tokens is None
    end = read(*events, DONE)[0].ending(resumed=False)
    assert end.usage.cost_usd == 0.0967894 and end.usage.output_tokens == 60, "the result knows better"


def test_without_a_result_it_has_broken_off_and_nothing_is_known_of_its_cost() -> None:
    end = read(INIT, said(text("I begin")))[0].ending(resumed=False)
    assert not end.said and end.trouble is None and end.usage == Usage()
