"""The model server's cache of prompts: who writes a prefix, who reads it, and how long it is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stretto.testing.models.server import ModelServer
from unit.testing.models.client import CLAUDE, Client, ask, tools
from unit.testing.models.clock import Clock

MARK = {"cache_control": {"type": "ephemeral"}}


def cached(prompt: str, shared: str = "s", **mark: Any) -> dict[str, Any]:
    system: list[dict[str, Any]] = [
        {"type": "text", "text": shared * 4000, "cache_control": {"type": "ephemeral", **mark}}
    ]
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
    second: list[dict[str, Any]] = [
        {"role": "user", "content": "a" * 4000},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": [{"type": "text", "text": "b" * 400, **MARK}]},
    ]
    read, more = usage(client, ask(second))
    assert read == written
    assert 100 < more < 200
    far: list[dict[str, Any]] = [
        {"role": "user", "content": "a" * 4000},
        *({"role": "user", "content": f"{n}"} for n in range(20)),
        second[2],
    ]
    assert usage(client, ask(far))[0] == 0, "more than 20 blocks back"
