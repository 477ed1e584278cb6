"""How a model is asked for a text over HTTP, by the form of the endpoint: what is sent, and what its answer says.

Only the standard library: it runs in the text agent's own process.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

Turns = list[tuple[str, str]]
"""(role, text), the user's first."""
WORTH_KEEPING = 4000
"""Characters from which on it pays to have a prompt's shared beginning kept."""
_LAST_FILE = "</file>\n"


class Told(NamedTuple):
    """What one event of a streamed answer adds."""

    text: str = ""
    stop: str = ""
    """Why it ended: `end`, `cut` for want of room, `refused`, or the endpoint's own word."""
    usage: Mapping[str, int] = MappingProxyType({})
    over: bool = False
    error: tuple[str, str] | None = None
    """(its type, its message)"""


class Anthropic:
    """The Messages form."""

    key_variable = "ANTHROPIC_API_KEY"
    stops: ClassVar = {"end_turn": "end", "stop_sequence": "end", "max_tokens": "cut", "refusal": "refused"}

    def url(self, base: str) -> str:
        return f"{base.rstrip('/')}/v1/messages"

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": "2023-06-01", **({"x-api-key": key} if key else {})}

    def body(self, model: str, turns: Turns, max_tokens: int) -> dict[str, Any]:
        messages = [{"role": role, "content": self._blocks(text)} for role, text in turns]
        return {"model": model, "max_tokens": max_tokens, "stream": True, "messages": messages}

    def _blocks(self, text: str) -> list[dict[str, Any]]:
        """The files in front are the same for many tasks: the endpoint is asked to keep them."""
        at = text.rfind(_LAST_FILE) + len(_LAST_FILE)
        if _LAST_FILE not in text or at < WORTH_KEEPING or not text[at:].strip():
            return [{"type": "text", "text": text}]
        return [
            {"type": "text", "text": text[:at], "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": text[at:]},
        ]

    def told(self, event: dict[str, Any]) -> Told:
        match event.get("type"):
            case "message_start":
                return Told(usage=_anthropic_usage(_table(_table(event, "message"), "usage")))
            case "content_block_start":
                return Told(text=_text(_table(event, "content_block"), "text"))
            case "content_block_delta":
                return Told(text=_text(_table(event, "delta"), "text"))
            case "message_delta":
                stop = _text(_table(event, "delta"), "stop_reason")
                usage = _anthropic_usage(_table(event, "usage"))
                return Told(stop=self.stops.get(stop, stop), usage=usage)
            case "message_stop":
                return Told(over=True)
            case "error":
                error = _table(event, "error")
                return Told(error=(_text(error, "type"), _text(error, "message")))
            case _:
                return Told()


class OpenAI:
    """The form of chat completions, which many servers speak."""

    key_variable = "OPENAI_API_KEY"
    stops: ClassVar = {"stop": "end", "length": "cut", "content_filter": "refused"}

    def url(self, base: str) -> str:
        return f"{base.rstrip('/')}/chat/completions"

    def headers(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"} if key else {}

    def body(self, model: str, turns: Turns, max_tokens: int) -> dict[str, Any]:
        messages = [{"role": role, "content": text} for role, text in turns]
        return {
            "model": model,
            "max_tokens": max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": messages,
        }

    def told(self, event: dict[str, Any]) -> Told:
        if (error := event.get("error")) is not None:
            table = error if isinstance(error, dict) else {"message": str(error)}
            return Told(error=(_text(table, "type") or _text(table, "code"), _text(table, "message")))
        usage = _table(event, "usage")
        counts = {
            "input_tokens": usage.get("prompt_tokens"),
            "output_tokens": usage.get("completion_tokens"),
            "cache_read_tokens": _table(usage, "prompt_tokens_details").get("cached_tokens"),
        }
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        stop = _text(choice, "finish_reason")
        return Told(
            text=_text(_table(choice, "delta"), "content"), stop=self.stops.get(stop, stop), usage=_whole(counts)
        )


FORMS: dict[str, Anthropic | OpenAI] = {"anthropic": Anthropic(), "openai": OpenAI()}


def _anthropic_usage(said: dict[str, Any]) -> dict[str, int]:
    read, written = said.get("cache_read_input_tokens"), said.get("cache_creation_input_tokens")
    counts = _whole(
        {"input_tokens": said.get("input_tokens"), "cache_read_tokens": read, "cache_write_tokens": written}
    )
    if "input_tokens" in counts:  # they count what no cache had
        counts["input_tokens"] = sum(counts.values())
    return counts | _whole({"output_tokens": said.get("output_tokens")})


def _whole(counts: dict[str, Any]) -> dict[str, int]:
    return {name: n for name, n in counts.items() if isinstance(n, int) and not isinstance(n, bool) and n >= 0}


def _table(event: dict[str, Any], key: str) -> dict[str, Any]:
    value = event.get(key)
    return value if isinstance(value, dict) else {}


def _text(event: dict[str, Any], key: str) -> str:
    value = event.get(key)
    return value if isinstance(value, str) else ""
