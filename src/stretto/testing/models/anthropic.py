"""The Anthropic Messages format: requests into conversations, turns into messages and their event streams."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from stretto.testing.models.conversation import Conversation, Event, Message, Tokens, Turn
from stretto.testing.models.directives import Json
from stretto.testing.models.ledger import Prefix, Reached

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
CHARACTERS_PER_TOKEN = 4
KEEP_S = {"5m": 300.0, "1h": 3600.0}


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    id: str = ""
    tool_use_id: str = ""
    is_error: bool | None = None


class _Message(msgspec.Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


class _Tool(msgspec.Struct):
    name: str
    input_schema: dict[str, Any] = {}


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Counted(msgspec.Struct):
    """What is asked of `count_tokens`."""

    model: str
    messages: list[_Message]
    tools: list[_Tool] = []
    system: str | list[_Block] = ""


class _Asked(_Counted, kw_only=True):
    max_tokens: int
    stream: bool = False
    metadata: _Metadata | None = None


class Anthropic:
    """Implements Wire."""

    answers = re.compile(r"/v1/messages")
    counts = re.compile(r"/v1/messages/count_tokens")

    def conversation(self, body: bytes, headers: Mapping[str, str]) -> Conversation:
        asked = msgspec.json.decode(body, type=_Asked)
        return Conversation(
            model=asked.model,
            streamed=asked.stream,
            messages=tuple(_message(message) for message in asked.messages),
            tools={tool.name: _arguments(tool) for tool in asked.tools},
            system="\n".join(block.text for block in _blocks(asked.system)),
            session=headers.get("x-claude-code-session-id") or _session(asked.metadata),
        )

    def account(self, headers: Mapping[str, str]) -> str | None:
        if key := headers.get("x-api-key"):
            return f"x-api-key {key}"
        return headers.get("authorization")

    def size(self, body: bytes) -> int:
        msgspec.json.decode(body, type=_Counted)
        asked = json.loads(body)
        said = {name: asked.get(name) for name in ("tools", "system", "messages")}
        return max(1, len(json.dumps(said)) // CHARACTERS_PER_TOKEN)

    def count(self, tokens: int) -> Json:
        return {"input_tokens": tokens}

    def prefixes(self, body: bytes) -> tuple[Prefix, ...]:
        asked = json.loads(body)
        digest = hashlib.sha256(str(asked.get("model")).encode())
        found, length = [], 0
        for block in _cached_blocks(asked):
            mark = block.pop("cache_control", None)
            text = json.dumps(block, sort_keys=True)
            digest.update(text.encode())
            length += len(text)
            keep_s = KEEP_S.get(mark.get("ttl", "5m"), KEEP_S["5m"]) if mark else 0.0
            tokens = length // CHARACTERS_PER_TOKEN
            found.append(Prefix(digest=digest.hexdigest(), tokens=tokens, marked=bool(mark), keep_s=keep_s))
        return tuple(found)

    def whole(self, model: str, turn: Turn, tokens: Tokens) -> Json:
        message = _empty(model, tokens)
        stop: dict[str, Json] = {"stop_reason": _stop(turn), "stop_sequence": None}
        return {**message, **stop, "content": [*_content(turn)], "usage": _usage(tokens, tokens.output)}

    def stream(self, model: str, turn: Turn, tokens: Tokens) -> Iterator[Event]:
        yield _event("message_start", message=_empty(model, tokens))
        for index, block in enumerate(_content(turn)):
            empty: dict[str, Json] = {"text": ""} if block["type"] == "text" else {"input": {}}
            yield _event("content_block_start", index=index, content_block={**block, **empty})
            if index == 0:
                yield self.alive()
            for delta in _deltas(block):
                yield _event("content_block_delta", index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        stop: Json = {"stop_reason": _stop(turn), "stop_sequence": None}
        yield _event("message_delta", delta=stop, usage=_usage(tokens, tokens.output))
        yield _event("message_stop")

    def alive(self) -> Event:
        return _event("ping")

    def broken(self, kind: str, message: str) -> Event:
        return _event("error", error={"type": kind, "message": message})

    def error(self, status: int, kind: str | None, message: str, fields: Mapping[str, Json], request: str) -> Json:
        kind = kind or TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message, **fields}, "request_id": request}

    def limited(self, reached: Reached, now: float) -> tuple[str, dict[str, str]]:
        until = int(-(-reached.until // 1))
        return "This request would exceed your account's rate limit. Please try again later.", {
            "retry-after": str(max(1, int(until - now))),
            "anthropic-ratelimit-unified-status": "rejected",
            "anthropic-ratelimit-unified-reset": str(until),
            "anthropic-ratelimit-unified-representative-claim": reached.claim,
        }


# --- requests ------------------------------------------------------------------------------------------------------


def _blocks(content: str | list[_Block]) -> list[_Block]:
    return [_Block(type="text", text=content)] if isinstance(content, str) else content


def _message(message: _Message) -> Message:
    blocks = _blocks(message.content)
    return Message(
        role=message.role,
        texts=tuple(block.text for block in blocks if block.type == "text"),
        calls=tuple(block.id for block in blocks if block.type == "tool_use"),
        outcomes=tuple((b.tool_use_id, bool(b.is_error)) for b in blocks if b.type == "tool_result"),
    )


def _arguments(tool: _Tool) -> dict[str, dict[str, Json]]:
    properties = tool.input_schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _session(metadata: _Metadata | None) -> str | None:
    found = re.search(r"session(?:_id\W+|_)([\w-]{8,})", metadata.user_id or "") if metadata else None
    return found[1] if found else None


def _cached_blocks(asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Copies of everything a request says, in the order in which it is cached."""
    yield from (dict(tool) for tool in asked.get("tools") or ())
    for part in _parts(asked.get("system") or [], "system"):
        # Claude Code sends a header this way that differs from process to process; we take it that nobody caches it.
        if not str(part.get("text")).startswith("x-anthropic-billing-header:"):
            yield part
    for message in asked["messages"]:
        yield from _parts(message["content"], message["role"])


def _parts(content: Any, role: str) -> Iterator[dict[str, Any]]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    yield from ({**block, "role": role} for block in blocks)


# --- answers -------------------------------------------------------------------------------------------------------


def _event(name: str, **data: Json) -> Event:
    return Event(name=name, data={"type": name, **data})


def _empty(model: str, tokens: Tokens) -> dict[str, Json]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(tokens, 1),
    }


def _usage(tokens: Tokens, output: int) -> Json:
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.written,
        "cache_read_input_tokens": tokens.read,
        "output_tokens": output,
    }


def _stop(turn: Turn) -> str:
    return turn.stop or ("tool_use" if turn.calls else "end_turn")


def _content(turn: Turn) -> Iterator[dict[str, Json]]:
    for text in turn.texts:
        yield {"type": "text", "text": text}
    for call in turn.calls:
        yield {"type": "tool_use", "id": call.fresh_id("toolu"), "name": call.name, "input": call.arguments}


def _deltas(block: Mapping[str, Json]) -> Iterator[Json]:
    if block["type"] == "text":
        for piece in re.findall(r"\S+\s*|\s+", str(block["text"])):
            yield {"type": "text_delta", "text": piece}
    else:
        text = json.dumps(block["input"])
        third = -(-len(text) // 3)
        for start in range(0, len(text), third):
            yield {"type": "input_json_delta", "partial_json": text[start : start + third]}
