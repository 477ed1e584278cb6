"""Reads `claude -p --output-format stream-json --verbose`: one JSON object a line, the last one a `result`.

What a `result` calls its `subtype` is not to be believed: it is `success` for a refused key, too. `is_error` counts. A
tool that was refused is no error, and exit status 0 follows an interrupt. Of one session all costs are added up, also
over processes; `model_usage_since_last_result` is what this one spent. Versions differ: whatever is missing is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from stretto.agents.json_text import decoded
from stretto.agents.stream import MOST_TOKENS, MOST_USD, Ending, Trouble, redacted
from stretto.model.excerpt import legible
from stretto.model.run import Usage

LINE = 240
"""Characters of a line about a tool; what the model says itself is shown in full, up to `TEXT`."""
TEXT = 4000
LONGEST_PAUSE_S = 31 * 86400.0
"""A reset that is further away is none, and so is a longer wait."""
SYNTHETIC = "<synthetic>"
"""The model of messages that the command line made up itself."""
_WANTED = ("file_path", "notebook_path", "path", "command", "pattern", "url", "query", "description", "prompt")
"""Arguments that say what a tool call is about, the best first."""


class ClaudeStream:
    """One process. Lines that are no JSON object are passed on to people, shortened."""

    def __init__(self) -> None:
        self.began = self.answered = False
        self._folder = ""
        self._results: list[Mapping[str, Any]] = []
        self._heard: dict[str, Mapping[str, Any]] = {}
        """What each answer had spent when it was last told, by its id; an answer comes in several events."""
        self._quota: Trouble | None = None
        self._retry_s: float | None = None
        self._names: tuple[str, ...] = ()
        self._denied: set[str] = set()
        """Calls of tools that were refused, by their ids."""
        self._asked = ""

    def read(self, line: bytes) -> tuple[str, ...]:
        try:
            event = decoded(line)
        except msgspec.DecodeError:
            event = None
        if not isinstance(event, dict):
            return tuple(_short(text) for text in [line.decode("utf-8", "replace")] if text.strip())
        return tuple(redacted(text) for text in self._event(event) if text)

    def _event(self, event: Mapping[str, Any]) -> Iterator[str]:
        match event.get("type"), event.get("subtype"):
            case "system", "init":
                self.began = True
                self._folder = _text(event, "cwd").rstrip("/") + "/"
                yield (
                    f"Claude Code {_text(event, 'claude_code_version')}, model {_text(event, 'model')}, "
                    f"session {_text(event, 'session_id')}"
                )
            case "system", "api_retry":
                yield self._retried(event)
            case "system", "permission_denied":
                self._denied |= {_text(event, "tool_use_id")} - {""}
                yield _short(f"! not allowed: {_text(event, 'tool_name')} ({_text(event, 'message')})")
            case "system", "status" if event.get("status") == "compacting":
                yield "(it shortens the conversation)"
            case "rate_limit_event", _:
                yield self._limited(_table(event, "rate_limit_info"))
            case "assistant", _:
                yield from self._said(event)
            case "user", _:
                for block in _blocks(event):
                    told = _text(block, "tool_use_id") in self._denied
                    if block.get("type") == "tool_result" and block.get("is_error") is True and not told:
                        yield _short(f"! {_plain(block.get('content'))}")
            case "control_request", _:
                request = _table(event, "request")
                self._asked = _text(request, "tool_name") or _text(request, "subtype") or "something"
                yield f"! asks: {self._asked}"
            case "result", _:
                self._results.append(event)
                self._asked = ""
                yield _summary_line(event)
            case _:
                pass

    def _said(self, event: Mapping[str, Any]) -> Iterator[str]:
        message = _table(event, "message")
        if message.get("model") == SYNTHETIC or event.get("is_api_error_message") is True:
            self._names = tuple(filter(None, (_text(event, key) for key in ("error", "api_error_type", "api_error"))))
            return  # the result repeats its text
        self.answered = True
        self._retry_s = self._quota = None
        self._heard[_text(message, "id")] = _table(message, "usage")
        for block in _blocks(event):
            match block.get("type"):
                case "text":
                    yield legible(_text(block, "text")).strip()[:TEXT]
                case "tool_use":
                    yield self._call(_text(block, "name"), _table(block, "input"))
                case _:
                    pass

    def _call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        about = next((text for key in _WANTED if (text := _text(arguments, key))), "")
        return _short(f"> {tool} {about.removeprefix(self._folder)}".rstrip())

    def _retried(self, event: Mapping[str, Any]) -> str:
        delay_ms = _number(event, "retry_delay_ms", most=1000 * LONGEST_PAUSE_S)
        self._retry_s = delay_ms / 1000 if delay_ms else None
        status = _number(event, "error_status")
        what = " ".join(filter(None, (f"{status:.0f}" if status else "", _text(event, "error"))))
        when = f" in {self._retry_s:.1f} s" if self._retry_s else ""
        return f"({what or 'no answer'}: tries again{when})"

    def _limited(self, info: Mapping[str, Any]) -> str:
        if info.get("status") != "rejected":
            return ""
        which = _text(info, "rateLimitType").replace("_", " ")
        resets = _number(info, "resetsAt") or 0.0
        wait_s = resets - time.time()
        known = 0 < wait_s < LONGEST_PAUSE_S
        when = f", resets {time.strftime('%Y-%m-%d %H:%M', time.gmtime(resets))} UTC" if known else ""
        said = f"the usage limit{f' ({which})' if which else ''} is reached{when}"
        self._quota = Trouble(
            text=said, kind="quota" if known else "rate_limited", retry_after_s=wait_s if known else None
        )
        return said

    # --- its end ------------------------------------------------------------------------------------------------

    def ending(self, *, resumed: bool) -> Ending:
        last = self._results[-1] if self._results else None
        if last is None:
            return Ending(trouble=self._quota, usage=self._at_least(), asked=self._asked)
        refused = [
            self._call(_text(denied, "tool_name"), _table(denied, "tool_input")).removeprefix("> ")
            for denied in _tables(last, "permission_denials")
        ]
        return Ending(
            said=True,
            trouble=self._trouble(last),
            usage=self._usage(resumed),
            summary=redacted(legible(_text(last, "result")).strip()[:TEXT]),
            refused=tuple(dict.fromkeys(refused)),
            asked=self._asked,
        )

    def _trouble(self, result: Mapping[str, Any]) -> Trouble | None:
        if result.get("is_error") is not True and not _text(result, "subtype").startswith("error"):
            return None
        if self._quota is not None:
            return self._quota
        status = _number(result, "api_error_status")
        names = (_text(result, key) for key in ("api_error_type", "api_error", "terminal_reason", "subtype"))
        return Trouble(
            text=_text(result, "result") or _errors(result) or _text(result, "terminal_reason"),
            names=(*self._names, *(name for name in names if name)),
            status=None if status is None else int(status),
            retry_after_s=self._retry_s,
        )

    def _at_least(self) -> Usage:
        """What its answers have told of tokens. The last one may have gone on, and money is told at the end only."""
        told = [usage for usage in self._heard.values() if usage]
        if not told:
            return Usage()
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
        return _tokens(told, *names)

    def _usage(self, resumed: bool) -> Usage:
        """Of all models together, since the process began. A session's total is not the attempt's (see above)."""
        spent = [
            model
            for result in self._results
            for model in _table(result, "model_usage_since_last_result").values()
            if isinstance(model, dict)
        ]
        last = self._results[-1]
        exact = "model_usage_since_last_result" in last
        if not exact:
            spent = [model for model in _table(last, "modelUsage").values() if isinstance(model, dict)]
            if resumed or not spent:
                return Usage(cost_usd=None if resumed else _number(last, "total_cost_usd", most=MOST_USD))
        names = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens")
        cost = _sum(spent, "costUSD", MOST_USD) if exact else _number(last, "total_cost_usd", most=MOST_USD)
        return replace(_tokens(spent, *names), cost_usd=cost)


def _summary_line(result: Mapping[str, Any]) -> str:
    cost, took = _spent(result), _number(result, "duration_ms")
    parts = [
        f"{turns:g} turns" if (turns := _number(result, "num_turns")) is not None else "",
        f"{took / 1000:.1f} s" if took is not None else "",
        f"${cost:.4f}" if cost is not None else "",
    ]
    figures = ", ".join(part for part in parts if part)
    if result.get("is_error") is not True:
        return f"done: {figures}"
    return _short(f"failed: {_text(result, 'result') or _errors(result)} ({figures})")


def _errors(result: Mapping[str, Any]) -> str:
    errors = result.get("errors")
    return "; ".join(text for text in errors if isinstance(text, str)) if isinstance(errors, list) else ""


def _spent(result: Mapping[str, Any]) -> float | None:
    """Money, since the process began where that is told."""
    if "model_usage_since_last_result" not in result:
        return _number(result, "total_cost_usd", most=MOST_USD)
    models = _table(result, "model_usage_since_last_result").values()
    return _sum([model for model in models if isinstance(model, dict)], "costUSD", MOST_USD)


# --- a JSON value that may be anything ---------------------------------------------------------------------------


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _number(table: Mapping[str, Any], key: str, most: float = 1e15) -> float | None:
    """None: not told, or a number that nobody can mean; none is negative here."""
    value = table.get(key)
    sane = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
    return float(cast("float", value)) if sane else None


def _sum(tables: Iterable[Mapping[str, Any]], key: str, most: float) -> float | None:
    """Of all that is told; unknown as soon as one of them is no number to believe."""
    numbers = [_number(table, key, most) for table in tables if key in table]
    told = [number for number in numbers if number is not None]
    return sum(told) if len(told) == len(numbers) and sum(told) <= most else None


def _tokens(told: Sequence[Mapping[str, Any]], fresh: str, read: str, written: str, out: str) -> Usage:
    """By the names that the four counts have there. What was read from a cache, or written to one, went in as well."""
    into = [_sum(told, key, MOST_TOKENS) for key in (fresh, read, written)]
    known = [number for number in into if number is not None]
    return Usage(
        input_tokens=int(sum(known)) if len(known) == len(into) else None,
        output_tokens=_whole(_sum(told, out, MOST_TOKENS)),
        cache_read_tokens=_whole(into[1]),
        cache_write_tokens=_whole(into[2]),
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _tables(table: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    value = table.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _blocks(event: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return _tables(_table(event, "message"), "content")


def _plain(content: object) -> str:
    if isinstance(content, list):
        return " ".join(_text(block, "text") for block in content if isinstance(block, dict))
    return content if isinstance(content, str) else ""


def _short(text: str) -> str:
    """Its first line that says something, of bounded length."""
    line = next((line for line in legible(text).splitlines() if line.strip()), "")
    return line if len(line) <= LINE else line[: LINE - 1] + "…"
