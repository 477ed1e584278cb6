"""A small client of the Messages format: single requests, and an agent that goes on until its model is done."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]

CLAUDE = {
    "Bash": ("command", "description"),
    "Edit": ("file_path", "old_string", "new_string"),
    "Read": ("file_path",),
    "Write": ("file_path", "content"),
}
"""Names of tools, to those of their arguments."""


def tools(named: Mapping[str, Sequence[str]], **types: str) -> list[Json]:
    return [
        {
            "name": name,
            "input_schema": {"properties": {one: {"type": types.get(one, "string")} for one in arguments}},
        }
        for name, arguments in named.items()
    ]


def ask(prompt: str | list[Json], *, offers: Sequence[Json] = (), system: str | list[Json] = "", **more: Any) -> Json:
    """The body of a request. A prompt that is a list is a whole conversation."""
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return {"model": "m", "max_tokens": 9, "messages": messages, "tools": [*offers], "system": system, **more}


class Answer:
    """What came back, whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Json:
        decoded = json.loads(self.body)
        assert isinstance(decoded, dict)
        return decoded

    @property
    def text(self) -> str:
        return "".join(block.get("text", "") for block in self.json["content"])

    @property
    def calls(self) -> list[tuple[str, Json]]:
        return [(block["name"], block["input"]) for block in self.json["content"] if block["type"] == "tool_use"]

    @property
    def events(self) -> list[Json]:
        return events_of(self.body)


def events_of(stream: bytes) -> list[Json]:
    """The data of every event, each under its own name."""
    found = []
    for event in stream.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


class Client:
    """Asks one server, under one key and one session."""

    def __init__(self, url: str, *, key: str | None = "k", session: str | None = None, timeout_s: float = 20.0) -> None:
        self._address = url.removeprefix("http://")
        self._timeout_s = timeout_s
        self._headers = {"content-type": "application/json"}
        if key is not None:
            self._headers["x-api-key"] = key
        if session is not None:
            self._headers["x-claude-code-session-id"] = session

    @contextmanager
    def opened(
        self, body: Json | bytes | None, path: str = "/v1/messages?beta=true", method: str = "POST", **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """A response that has begun and is not read yet."""
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout_s)
        try:
            sent = json.dumps(body).encode() if isinstance(body, dict) else body
            connection.request(method, path, body=sent, headers=self._headers | headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def send(
        self, body: Json | bytes | None, path: str = "/v1/messages", method: str = "POST", **headers: str
    ) -> Answer:
        with self.opened(body, path, method, **headers) as response:
            return Answer(response)

    def ask(self, prompt: str | list[Json], **more: Any) -> Answer:
        return self.send(ask(prompt, **more))


def play(
    client: Client,
    prompt: str | list[Json],
    does: Callable[[str, Json], str | None] = lambda name, arguments: None,
    *,
    offers: Sequence[Json] = tools(CLAUDE),
    system: str = "",
) -> tuple[list[list[tuple[str, Json]]], str, list[Json]]:
    """Be an agent: the calls of each turn, the final text, and the conversation. `does` performs a call and may tell
    of an error."""
    messages: list[Json] = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [*prompt]
    turns: list[list[tuple[str, Json]]] = []
    while True:
        answer = client.ask(messages, offers=offers, system=system)
        assert answer.status == 200, answer.body
        messages.append({"role": "assistant", "content": answer.json["content"]})
        if answer.json["stop_reason"] != "tool_use":
            return turns, answer.text, messages
        turns.append(answer.calls)
        assert len(turns) < 20
        results = []
        for block in answer.json["content"]:
            if block["type"] == "tool_use":
                error = does(block["name"], block["input"])
                results.append(
                    {
                        "type": "tool_result",
                        "tool_use_id": block["id"],
                        "content": error or "fine",
                        "is_error": error is not None,
                    }
                )
        messages.append({"role": "user", "content": results})
