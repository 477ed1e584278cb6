"""Trouble that a script orders: errors, delays, silence, broken streams, limits of an account."""

from __future__ import annotations

import http.client
import time
from typing import Any

import pytest

from stretto.testing.models.server import ModelServer
from unit.testing.models.client import CLAUDE, Client, ask, play, tools
from unit.testing.models.clock import Clock


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"),
        (403, "permission_error"), (404, "not_found_error"), (413, "request_too_large"), (418, "invalid_request_error"),
        (429, "rate_limit_error"), (500, "api_error"), (503, "api_error"), (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_has_the_name_that_the_api_gives_its_status(
    client: Client, status: int, kind: str, stream: bool
) -> None:
    answer = client.ask(f"MODEL fail {status}", stream=stream)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "type": "error",
        "error": {"type": kind, "message": f"scripted {status}"},
        "request_id": answer.headers["request-id"],
    }


def test_an_error_says_what_the_script_says(client: Client, clock: Clock) -> None:
    answer = client.ask(
        'MODEL fail 429 type=usage_limit message="slow down, please" error.resets_at=epoch+60 error.plan=pro'
        " retry-after=2 anthropic-ratelimit-unified-reset=epoch+3600 anthropic-ratelimit-requests-reset=time+60"
    )
    assert answer.json["error"] == {
        "type": "usage_limit", "message": "slow down, please", "resets_at": int(clock.now) + 60, "plan": "pro",
    }  # fmt: skip
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["anthropic-ratelimit-unified-reset"] == str(int(clock.now) + 3600)
    assert answer.headers["anthropic-ratelimit-requests-reset"] == "2027-01-15T08:01:00Z"


def test_trouble_strikes_as_often_as_it_says_and_one_after_the_other(server: ModelServer, client: Client) -> None:
    script = "MODEL fail 529 times=2\nMODEL fail 429 times=1"
    assert [client.ask(script).status for _ in range(5)] == [529, 529, 429, 200, 200]
    assert [client.ask(f"another\n{script}").status for _ in range(4)] == [529, 529, 429, 200]
    server.reset()
    assert client.ask(script).status == 529


def test_trouble_of_one_attempt_strikes_however_often_the_client_retries(server: ModelServer) -> None:
    script = "MODEL @1 fail 529"
    first, second = (Client(server.url, session=session) for session in ("one", "two"))
    assert [one.ask(script).status for one in (first, first, second, first, second)] == [529, 529, 200, 529, 200]
    assert [one.attempt for one in server.requests()] == [1, 1, 2, 1, 2]


def test_trouble_of_one_turn_strikes_in_that_turn(server: ModelServer, client: Client) -> None:
    script = "MODEL bash one\nMODEL bash two\nMODEL fail 500 turn=2 times=1"
    _, _, messages = play(client, "MODEL bash one\nMODEL bash two")
    messages[0]["content"] = script
    statuses = [client.ask(messages[:upto], offers=tools(CLAUDE)).status for upto in (1, 3, 3, 5)]
    assert statuses == [200, 500, 200, 200]
    assert [one.turn for one in server.requests()[-4:]] == [1, 2, 2, 3]


def test_a_bad_script_is_refused_with_its_line(server: ModelServer, client: Client) -> None:
    answer = client.ask("Do this\nMODEL wirte a.txt")
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert "script line 2, 'MODEL wirte a.txt': unknown directive 'wirte'" in answer.json["error"]["message"]
    assert server.requests()[0].message == answer.json["error"]["message"]


def timed(client: Client, prompt: str, **more: Any) -> float:
    began = time.monotonic()
    assert client.ask(prompt, **more).status == 200
    return time.monotonic() - began


def test_answers_are_delayed_and_slowed_down(client: Client) -> None:
    words = "MODEL text " + " ".join("abcdefgh")
    assert timed(client, f"{words}\nMODEL delay 0.2\nMODEL delay 0.1") >= 0.3
    assert timed(client, f"{words}\nMODEL slow 0.3", stream=True) >= 0.3
    with client.opened(ask(f"{words}\nMODEL slow 60", stream=True)) as response:
        assert b"message_start" in response.read1(), "it has begun long before it ends"


def test_what_hangs_keeps_the_connection_alive_until_the_client_leaves(server: ModelServer) -> None:
    client = Client(server.url, timeout_s=10)
    with client.opened(ask("MODEL hang", stream=True)) as response:
        said = b""
        while said.count(b"event: ping") < 2:
            said += response.read1()
        assert b"message_stop" not in said
        assert server.requests()[0].ended_s is None
    (hung,) = server.until(lambda requests: requests[0].ended_s is not None)
    assert (hung.status, hung.outcome) == (200, "gone")


@pytest.mark.parametrize(("line", "stream"), [("hang silent", True), ("hang silent", False), ("hang", False)])
def test_what_hangs_silently_sends_nothing(server: ModelServer, line: str, stream: bool) -> None:
    client = Client(server.url, timeout_s=0.3)
    with pytest.raises(TimeoutError):
        client.ask(f"MODEL {line} times=1", stream=stream)
    (hung,) = server.until(lambda requests: requests[0].ended_s is not None)
    assert (hung.status, hung.outcome) == (None, "gone")
    patient = Client(server.url)
    assert patient.ask(f"MODEL {line} times=1", stream=stream).status == 200, "it hung once"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_cut_in_the_middle_or_before_it(server: ModelServer, client: Client, stream: bool) -> None:
    with pytest.raises(http.client.IncompleteRead) as cut:
        client.ask("MODEL cut\nMODEL text a b c d e f", stream=stream)
    assert b'"message"' in cut.value.partial
    assert b"message_stop" not in cut.value.partial
    with pytest.raises(http.client.RemoteDisconnected):
        client.ask("MODEL cut silent", stream=stream)
    assert [(one.status, one.outcome) for one in server.requests()] == [(200, "cut"), (None, "cut")]


def test_a_stream_may_end_in_an_error(server: ModelServer, client: Client) -> None:
    script = 'MODEL stream-error overloaded_error message="too much" times=1\nMODEL text a b c'
    answer = client.ask(script, stream=True)
    assert answer.status == 200
    assert answer.events[0]["type"] == "message_start"
    assert answer.events[-1] == {"type": "error", "error": {"type": "overloaded_error", "message": "too much"}}
    assert [one.outcome for one in server.requests()] == ["stream-error"]
    assert client.ask(script, stream=True).events[-1]["type"] == "message_stop"
    whole = client.ask('MODEL stream-error overloaded_error message="too much"')
    assert (whole.status, whole.json["error"]["message"]) == (500, "too much")


def test_a_usage_limit_is_one_of_the_account_until_its_time_is_over(server: ModelServer, clock: Clock) -> None:
    mine, other = Client(server.url, key="mine"), Client(server.url, key="other")
    clock.now += 0.5
    refused = mine.ask("MODEL limit 3600 seven_day")
    assert refused.status == 429
    assert refused.json["error"]["type"] == "rate_limit_error"
    told = {name.removeprefix("anthropic-ratelimit-unified-"): value for name, value in refused.headers.items()}
    reset = int(clock.now) + 3601
    assert (told["status"], told["reset"], told["representative-claim"]) == ("rejected", str(reset), "seven_day")
    assert int(told["retry-after"]) in (3600, 3601)
    assert [one.ask("MODEL text another").status for one in (mine, other)] == [429, 200]
    clock.now += 3599
    assert mine.ask("MODEL text another").status == 429
    clock.now = reset
    assert mine.ask("MODEL limit 3600 seven_day").status == 200, "it is reached once"
    accounts = [one.account for one in server.requests()]
    assert len(set(accounts)) == 2
    assert all(account.startswith("x-api-key ") and "mine" not in account for account in accounts)
