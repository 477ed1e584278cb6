"""The result file: what an agent may say, and what comes of everything else it may leave there (R4)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stretto.agents.result import MAX_BYTES, BrokenResult, Result, claimed, decided, read_result
from stretto.model.run import Failure, FailureKind, Usage


def read(tmp_path: Path, body: str | bytes) -> Result | None:
    file = tmp_path / "result.json"
    file.write_bytes(body.encode() if isinstance(body, str) else body)
    return read_result(file)


def test_every_key_is_read_and_unknown_ones_are_not(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        '{"summary": "s", "confidence": 1, "artifacts": ["a"], "usage": {"cost_usd": 2, "cached": 3}, "model": {},'
        ' "failure": {"kind": "auth"}, "already_done": true, "decisions": ["d"]}',
    )
    assert result == Result(
        summary="s", confidence=1.0, artifacts=("a",), usage=Usage(cost_usd=2.0), failure=Failure(kind="auth"),
        already_done=True, decisions=("d",),
    )  # fmt: skip


def test_decisions_are_kept_legible_and_within_bounds() -> None:
    assert decided(Result()) == ()
    assert decided(Result(decisions=(" ids are \x1b[1mtext\x1b[0m\n", "", "\x00", "b"))) == ("ids are text", "b")
    many = decided(Result(decisions=("x" * 900,) * 90))
    assert [len(one) for one in many] == [500] * 20 and many[0].endswith("x…")


@pytest.mark.parametrize("body", ["", " \n"])
def test_an_empty_file_says_nothing(tmp_path: Path, body: str) -> None:
    assert read(tmp_path, body) is None


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert read_result(tmp_path / "nothing.json") is None


def test_null_is_absent(tmp_path: Path) -> None:
    assert read(tmp_path, '{"summary": null, "usage": null, "failure": null, "confidence": null}') == Result()


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [
        ('{"summary": "ä",\n "confidence": ?}', "result.json:2:16:", "malformed"),
        ('{"summary": "x"', "result.json:1:16:", "truncated"),
        ('{"summary": "x",\n "confidence": 75}', "result.json:2:2:", "confidence"),
        ('{"usage": {},\n "failure": {"message": "m", "kind": "tired"}}', "result.json:2:30:", "tired"),
        ("[]", "result.json:1:1:", "Expected `object`"),
        (b'{"summary": "\xff', "result.json:1:", ""),
        ("[" * 100_000, "result.json:1:", ""),
        (' {"x": ' + "[" * 100_000, "result.json:1:", ""),
        (b" " * MAX_BYTES + b"{}", "result.json:1:1:", "larger"),
    ],
)
def test_r4_a_broken_file_is_named_with_line_and_column(
    tmp_path: Path, body: str | bytes, place: str, said: str
) -> None:
    with pytest.raises(BrokenResult) as error:
        read(tmp_path, body)
    assert str(error.value).startswith(place)
    assert said in str(error.value)


def test_what_is_not_a_file_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(BrokenResult, match=name):
            read_result(tmp_path / name)


@pytest.mark.parametrize("kind", ["lost", "tampered", "gate", "cancelled", "no_room", "setup"])
def test_r4_an_agent_may_not_claim_what_only_stretto_knows(kind: FailureKind) -> None:
    failure = claimed(Failure(kind=kind, message="oops"))
    assert failure.kind == "failed"
    assert kind in failure.message and "oops" in failure.message


@pytest.mark.parametrize(
    ("wait", "kind"), [(None, "rate_limited"), (0.0, "rate_limited"), (-5.0, "rate_limited"), (9.0, "quota")]
)
def test_r4_quota_without_a_future_reset_is_rate_limited(wait: float | None, kind: str) -> None:
    assert claimed(Failure(kind="quota", retry_after_s=wait)).kind == kind


def test_what_is_claimed_is_bounded_and_legible() -> None:
    failure = claimed(Failure(kind="quota", message="\x1b[31mred\x07" + "x" * 10_000, retry_after_s=1e300))
    assert len(failure.message) <= 4000 and "\x1b" not in failure.message
    assert failure.retry_after_s is not None and failure.retry_after_s < 1e8
