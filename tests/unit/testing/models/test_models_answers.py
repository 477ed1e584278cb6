"""What the model server answers over real HTTP, and which requests it refuses."""

from __future__ import annotations

import gzip
import http.client
import json
from typing import Any

import pytest

from stretto.testing.models.server import ModelServer
from unit.testing.models.client import CLAUDE, Client, ask, tools


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


def usage(client: Client, body: dict[str, Any]) -> tuple[int, int]:
    """(tokens read from the cache, tokens written to it)"""
    said = client.send(body).json["usage"]
    assert said["input_tokens"] > 0
    return said["cache_read_input_tokens"], said["cache_creation_input_tokens"]
