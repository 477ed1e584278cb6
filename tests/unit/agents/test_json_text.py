"""Numbers and characters that JSON does not know cost their value, and not the line or the file they are in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.agents.claude_stream import ClaudeStream
from stretto.agents.json_text import decoded
from stretto.agents.result import Result, read_result, told
from stretto.model.run import Usage

RESULT = (
    '{"type":"result","subtype":"success","is_error":false,"num_turns":3,"result":"done","total_cost_usd":COST,'
    '"model_usage_since_last_result":{"m":{"inputTokens":1,"outputTokens":2,"cacheReadInputTokens":0,'
    '"cacheCreationInputTokens":0,"costUSD":COST}}}'
)
NUMBERS = ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1" * 5000, "-" + "1" * 5000]
IDS = ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "5000 digits", "minus 5000 digits"]


@pytest.mark.parametrize("number", NUMBERS, ids=IDS)
def test_a_number_that_is_none_is_unknown_and_the_rest_counts(number: str) -> None:
    assert decoded(b'{"a": [%s, 1.5], "b": "c"}' % number.encode()) == {"a": [None, 1.5], "b": "c"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'"\\ud800x"', "?x"),
        (b'"\\ud83d\\ude00 \\udc00"', "\U0001f600 ?"),
        (b'{"\\ud800": 1}', {"?": 1}),
        (b'"\xff"', "\ufffd"),
        (b'"a\x00\tb"', "a\x00\tb"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": 1e400, "a": 2}', {"a": 2}),
        (b"1e-400", 0.0),
    ],
)
def test_odd_text_is_read_as_far_as_it_goes(text: bytes, value: Any) -> None:
    assert decoded(text) == value


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": 1e400', b'{"a": nan}', b"[" * 100_000, b"\xff", b'{"a": NaN} x'])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decoded(text)


@given(st.binary(max_size=80) | st.text(alphabet='{}[]",:\\uNaIinfty1e-+. ', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        value = decoded(text)
    except msgspec.DecodeError:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("number", NUMBERS, ids=IDS)
def test_the_last_line_of_claude_counts_whatever_it_says_of_money(number: str) -> None:
    stream = ClaudeStream()
    assert stream.read(RESULT.replace("COST", number).encode()) == ("done: 3 turns",)
    end = stream.ending(resumed=False)
    assert (end.said, end.trouble, end.summary) == (True, None, "done")
    assert end.usage == Usage(input_tokens=1, output_tokens=2, cache_read_tokens=0, cache_write_tokens=0)


def test_the_last_line_of_claude_counts_with_half_a_character_in_its_words() -> None:
    stream = ClaudeStream()
    stream.read(RESULT.replace("COST", "1").replace("done", "don\\ud800e").encode())
    assert stream.ending(resumed=False).summary == "don?e"


@pytest.mark.parametrize("number", [*NUMBERS, "-1", "1e300", "1" + "0" * 390], ids=[*IDS, "-1", "1e300", "390 digits"])
def test_r4_a_result_file_counts_whatever_it_says_of_money(tmp_path: Path, number: str) -> None:
    file = tmp_path / "result.json"
    for key in ("cost_usd", "input_tokens" if "e" not in number else "cost_usd"):
        file.write_text(f'{{"summary": "s", "usage": {{"output_tokens": 2, "{key}": {number}}}}}')
        assert read_result(file) == Result(summary="s", usage=Usage(output_tokens=2))
    report = told(file, None)
    assert report.failure is None and report.usage == Usage(output_tokens=2)


def test_r4_a_result_file_counts_with_odd_characters_in_it(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(b'{"summary": "a \xff \\ud800", "confidence": NaN, "usage": {"cost_usd": 1, "cost_usd": 2}}')
    assert read_result(file) == Result(summary="a \ufffd ?", usage=Usage(cost_usd=2.0))
