"""The model server over real HTTP: shapes, trouble, limits, the cache, the log, and how it begins and ends."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stretto.testing.models.log import most_at_once, read_log
from stretto.testing.models.script import ScriptError
from stretto.testing.models.server import ModelServer
from unit.testing.models.client import CLAUDE, Client, ask, events_of, play, tools


class Clock:
    """A time in Unix seconds that only moves when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(clock: Clock) -> Iterator[ModelServer]:
    with ModelServer(now=clock) as server:
        yield server


@pytest.fixture
def server(shared: ModelServer) -> ModelServer:
    shared.reset()
    return shared


@pytest.fixture
def client(server: ModelServer) -> Client:
    return Client(server.url, session="s")


# --- answers -----------------------------------------------------------------------------------------------------


def test_a_streamed_text_comes_in_the_order_of_the_format(client: Client) -> None:
    events = client.ask("MODEL text one two three\nMODEL usage 7 8 9 10", stream=True).events
    kinds = [event["type"] for event in events]
    deltas = ["content_block_delta"] * 3
    assert kinds == [
        "message_start", "content_block_start", "ping", *deltas, "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    message = events[0]["message"]
    assert (message["role"], message["model"], message["content"], message["stop_reason"]) == (
        "assistant",
        "m",
        [],
        None,
    )
    usage = {"input_tokens": 7, "cache_read_input_tokens": 9, "cache_creation_input_tokens": 10}
    assert message["usage"] == {**usage, "output_tokens": 1}
    assert events[1] == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert "".join(event["delta"]["text"] for event in events if "text" in event.get("delta", {})) == "one two three"
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert events[-2]["usage"] == {**usage, "output_tokens": 8}


def test_streamed_calls_are_blocks_of_their_own_whose_input_comes_in_pieces(client: Client) -> None:
    script = "MODEL say first\nMODEL write a.txt some text\nMODEL and bash make"
    answer = client.ask(script, offers=tools(CLAUDE), stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["request-id"].startswith("req_")
    starts = [event for event in answer.events if event["type"] == "content_block_start"]
    assert [event["index"] for event in starts] == [0, 1, 2]
    assert [event["content_block"].get("input") for event in starts] == [None, {}, {}]
    assert len({event["content_block"].get("id") for event in starts}) == 3
    pieces = {1: "", 2: ""}
    for event in answer.events:
        if event["type"] == "content_block_delta" and event["index"]:
            pieces[event["index"]] += event["delta"]["partial_json"]
    whole = client.ask(script, offers=tools(CLAUDE))
    assert [json.loads(piece) for piece in pieces.values()] == [arguments for _, arguments in whole.calls]
    assert answer.events[-2]["delta"]["stop_reason"] == "tool_use"
    opened = 0
    for event in answer.events:
        opened += {"content_block_start": 1, "content_block_stop": -1}.get(event["type"], 0)
        assert opened in (0, 1), "blocks do not overlap"


def test_a_whole_answer_says_the_same_as_a_streamed_one(client: Client) -> None:
    script = "MODEL text hi there\nMODEL stop max_tokens\nMODEL header x-some=thing"
    whole, streamed = client.ask(script), client.ask(script, stream=True)
    for answer in (whole, streamed):
        assert answer.headers["x-some"] == "thing"
    assert whole.json["type"] == "message"
    assert whole.text == "hi there"
    assert whole.json["stop_reason"] == streamed.events[-2]["delta"]["stop_reason"] == "max_tokens"
    assert whole.json["usage"] == streamed.events[-2]["usage"]
    assert client.ask("no script at all").text == "Done."


def test_one_connection_carries_many_requests(server: ModelServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    for streamed in (True, False, True):
        body = json.dumps(ask("MODEL text x", stream=streamed))
        connection.request("POST", "/v1/messages", body, {"x-api-key": "k"})
        assert connection.getresponse().read()
        (*_, one) = server.requests()
        assert (one.status, one.outcome) == (200, "answered"), "it is in the log before the client has all of it"
    connection.close()
    assert len(server.requests()) == 3


def test_tokens_are_counted_and_counting_is_no_trouble(client: Client) -> None:
    body = ask("MODEL fail 529\n" + "x" * 4000)
    counted = client.send(body, "/v1/messages/count_tokens?beta=true").json
    assert 1000 < counted["input_tokens"] < 1100
    assert client.send({"model": "m"}, "/v1/messages/count_tokens").status == 400


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/"), ("GET", "/v1/models?limit=9"), ("GET", "/api/whatever")])
def test_anything_may_be_looked_at(server: ModelServer, client: Client, method: str, path: str) -> None:
    answer = client.send(None, path, method)
    assert answer.status == 200
    assert (answer.body == b"") == (method == "HEAD")
    assert [(one.method, one.status) for one in server.requests(asks="other")] == [(method, 200)]


def test_a_request_that_is_none_is_refused_as_the_api_does(server: ModelServer, client: Client) -> None:
    refused = {
        "no JSON": client.send(b"{"),
        "no messages": client.send({"model": "m", "max_tokens": 1}),
        "no max_tokens": client.send({"model": "m", "messages": []}),
        "a role that there is not": client.ask([{"role": "nobody", "content": "x"}]),
        "elsewhere": client.send(ask("x"), "/v1/v1/messages"),
        "no key": Client(server.url, key=None).ask("x"),
        "a coding that it does not know": client.send(ask("x"), **{"content-encoding": "zstd"}),
        "gzip that is none": client.send(ask("x"), **{"content-encoding": "gzip"}),
        "no length": client.send(None, **{"transfer-encoding": "chunked"}),
        "too large": client.send(None, **{"content-length": str(10**9)}),
    }
    assert {case: answer.status for case, answer in refused.items()} == {
        "no JSON": 400, "no messages": 400, "no max_tokens": 400, "a role that there is not": 400, "elsewhere": 404,
        "no key": 401, "a coding that it does not know": 415, "gzip that is none": 400, "no length": 411,
        "too large": 413,
    }  # fmt: skip
    for answer in refused.values():
        assert answer.json["type"] == "error"
    assert "max_tokens" in refused["no max_tokens"].json["error"]["message"]
    assert refused["no key"].json["error"]["type"] == "authentication_error"


def test_compressed_requests_are_read(client: Client) -> None:
    body = gzip.compress(json.dumps(ask("MODEL text squeezed")).encode())
    assert client.send(body, **{"content-encoding": "gzip"}).text == "squeezed"


# --- trouble -----------------------------------------------------------------------------------------------------


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


# --- the cache ---------------------------------------------------------------------------------------------------

MARK = {"cache_control": {"type": "ephemeral"}}


def cached(prompt: str, shared: str = "s", **mark: Any) -> dict[str, Any]:
    system = [{"type": "text", "text": shared * 4000, "cache_control": {"type": "ephemeral", **mark}}]
    return ask(prompt, system=system)


def usage(client: Client, body: dict[str, Any]) -> tuple[int, int]:
    """(tokens read from the cache, tokens written to it)"""
    said = client.send(body).json["usage"]
    assert said["input_tokens"] > 0
    return said["cache_read_input_tokens"], said["cache_creation_input_tokens"]


def test_a_prefix_is_written_once_and_read_by_others_with_the_same_key_and_model(server: ModelServer) -> None:
    client = Client(server.url)
    read, written = usage(client, cached("one"))
    assert read == 0
    assert written > 1000
    assert usage(client, cached("two")) == (written, 0)
    assert usage(Client(server.url, key="other"), cached("two")) == (0, written)
    assert usage(client, cached("two") | {"model": "another"})[0] == 0
    assert usage(client, cached("two") | {"tools": tools(CLAUDE)})[0] == 0, "what comes first is part of the prefix"
    assert usage(client, ask("no mark")) == (0, 0)
    server.reset()
    assert usage(client, cached("two"))[0] == 0


def test_a_prefix_is_kept_for_its_time_which_begins_anew_when_it_is_read(client: Client, clock: Clock) -> None:
    _, written = usage(client, cached("one"))
    for _ in range(3):
        clock.now += 299
        assert usage(client, cached("two")) == (written, 0)
    clock.now += 301
    assert usage(client, cached("three", ttl="1h")) == (0, written)
    clock.now += 3599
    assert usage(client, cached("four"))[0] == written


def test_a_prefix_can_be_read_once_the_answer_that_writes_it_has_begun(server: ModelServer, client: Client) -> None:
    """So of tasks that start together each pays for it."""
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(Client(server.url, timeout_s=0.5).send, cached("MODEL hang silent", shared="h"))
        server.until(lambda requests: bool(requests) and requests[0].input_tokens > 0)
        assert usage(client, cached("another", shared="h"))[0] == 0
        assert isinstance(held.exception(timeout=20), TimeoutError)
    with client.opened(cached("MODEL slow 60", shared="b") | {"stream": True}) as response:
        assert b"message_start" in response.read1()
        read, written = usage(client, cached("another", shared="b"))
        assert read > 1000
        assert written == 0
    assert [one.cache_read_tokens for one in server.requests()] == [0, 0, 0, read]


def test_the_header_among_the_system_texts_of_claude_code_is_not_part_of_a_prefix(client: Client) -> None:
    def body(version: str) -> dict[str, Any]:
        plain = cached("x")
        return {
            **plain,
            "system": [{"type": "text", "text": f"x-anthropic-billing-header: {version}"}, *plain["system"]],
        }

    _, written = usage(client, body("1"))
    assert usage(client, body("2")) == (written, 0)


def test_what_fails_writes_nothing(client: Client) -> None:
    assert client.send(cached("MODEL fail 529")).status == 529
    assert usage(client, cached("two"))[0] == 0


def test_a_conversation_reads_what_its_last_turn_wrote(client: Client) -> None:
    """The mark moves on with the newest message, and a message may become a list of blocks."""
    first = [{"role": "user", "content": [{"type": "text", "text": "a" * 4000, **MARK}]}]
    _, written = usage(client, ask(first))
    second = [
        {"role": "user", "content": "a" * 4000},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": [{"type": "text", "text": "b" * 400, **MARK}]},
    ]
    read, more = usage(client, ask(second))
    assert read == written
    assert 100 < more < 200
    far = [
        {"role": "user", "content": "a" * 4000},
        *({"role": "user", "content": f"{n}"} for n in range(20)),
        second[2],
    ]
    assert usage(client, ask(far))[0] == 0, "more than 20 blocks back"


# --- the log, and steering ---------------------------------------------------------------------------------------


def test_the_log_tells_who_asked_what_and_what_became_of_it(server: ModelServer) -> None:
    client = Client(server.url, session="the-session")
    headers = {"x-stainless-retry-count": "2", "user-agent": "cli/1"}
    client.send(ask("MODEL name t\nMODEL bash x\nMODEL usage 5 6 7 8", offers=tools(CLAUDE)), **headers)
    (one,) = server.requests()
    assert (one.number, one.method, one.path, one.asks) == (1, "POST", "/v1/messages", "answer") or one.number > 1
    assert (one.status, one.outcome, one.model, one.streamed) == (200, "answered", "m", False)
    assert (one.script, one.attempt, one.turn, one.calls, one.tools) == ("t", 1, 1, ("Bash",), tuple(sorted(CLAUDE)))
    assert (one.messages, one.session, one.retry, one.client) == (1, "the-session", 2, "cli/1")
    assert (one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens) == (5, 6, 7, 8)
    assert one.ended_s is not None
    assert 0 <= one.began_s <= one.ended_s


def test_requests_that_overlap_are_seen() -> None:
    with ModelServer() as server, ThreadPoolExecutor(3) as pool:
        Client(server.url).ask("MODEL name before")
        held = [pool.submit(Client(server.url).ask, f"MODEL name {n}\nMODEL hang silent") for n in range(3)]
        server.until(lambda requests: {one.script for one in requests} == {"before", "0", "1", "2"})
        assert most_at_once(server.requests()) == 3
        server.close()
        assert all(one.exception(timeout=20) for one in held)
    assert most_at_once(server.requests()) == 3
    assert most_at_once(server.requests()[:1]) == 1
    assert most_at_once(()) == 0


def test_it_is_steered_over_http_and_that_is_not_logged(server: ModelServer, client: Client) -> None:
    client.ask("MODEL name n\nMODEL text x")
    logged = json.loads(client.send(None, "/__log", "GET").body)
    assert [(one["script"], one["status"], one["outcome"]) for one in logged] == [("n", 200, "answered")]
    assert client.send({"when": "^Review", "script": "MODEL text fine"}, "/__script").status == 200
    assert client.ask("Review it").text == "fine"
    for wrong in ({"when": "(", "script": ""}, {"when": "x", "script": "MODEL nonsense"}, {"script": "x"}):
        refused = client.send(wrong, "/__script")
        assert refused.status == 400
        assert refused.json["error"]
    with pytest.raises(ScriptError, match="nonsense"):
        server.script("x", "MODEL nonsense")
    assert client.send(None, "/__nothing", "GET").status == 404
    assert client.send(b"", "/__reset").status == 200
    assert server.requests() == ()
    assert client.ask("Review it").text == "Done."


def test_waiting_for_requests_is_bounded(server: ModelServer) -> None:
    with pytest.raises(TimeoutError, match="there were 0 requests"):
        server.until(lambda requests: bool(requests), within_s=0.05)


# --- how it begins and ends --------------------------------------------------------------------------------------


def test_it_listens_on_loopback_alone_and_writes_its_log(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with ModelServer(log=file) as server, ThreadPoolExecutor(1) as pool:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server._http.socket.getsockname()[0] == "127.0.0.1"
        client = Client(server.url)
        client.ask("MODEL name first")
        hanging = pool.submit(client.ask, "MODEL name second\nMODEL hang silent")
        server.until(lambda requests: len(requests) == 2 and bool(requests[1].script))
        logged = read_log(file)
        assert [(one.script, one.outcome) for one in logged] == [("first", "answered"), ("second", None)]
        server.close()
        assert isinstance(hanging.exception(timeout=20), OSError | http.client.HTTPException)
    assert [one.outcome for one in read_log(file)] == ["answered", "gone"]
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=5):
        pass


COMMAND = (sys.executable, "-m", "stretto.testing.models")


def test_as_a_process_it_says_where_it_is_and_ends_when_asked(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with subprocess.Popen([*COMMAND, "--log", log], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = Client(url).ask("MODEL text x", stream=True)
        assert events_of(answer.body)[-1]["type"] == "message_stop"
        port = url.rpartition(":")[2]
        twice = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60)
        assert twice.returncode == 1
        assert twice.stderr.startswith("cannot start: ")
        assert "Traceback" not in twice.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert [one.status for one in read_log(log)] == [200]


def test_as_a_process_it_ends_with_its_parent() -> None:
    reader, writer = os.pipe()  # the server holds the writing end as long as it lives
    shell = f"{' '.join(COMMAND)} & read -r line"
    with subprocess.Popen(["sh", "-c", shell], stdin=subprocess.PIPE, stdout=writer) as parent:
        os.close(writer)
        with os.fdopen(reader) as said:
            url = said.readline().strip()
            assert Client(url).ask("MODEL text x").status == 200
            parent.kill()
            ready, _, _ = select.select([said], [], [], 20)
            assert ready and said.read() == "", "it is closed when the server has ended"


def test_its_help_is_the_language() -> None:
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=60).stdout
    assert "edit PATH OLD => NEW" in told
    assert "--port" in told
