"""Whatever is wrong with a file of the state folder is one kind of error."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.model.run import Usage, dump, undump

USAGES = msgspec.json.Decoder(Usage)
DAMAGE: dict[str, Any] = {
    "nothing": b"",
    "half": b'{"cost_usd": 1',
    "another type": b'{"cost_usd": "x"}',
    "a number that is none": b'{"cost_usd": 1e999}',
    "a byte that is not UTF-8, in a value": b'{"cost_usd": "\xff"}',
    "brackets without end": b'{"x": ' + b"[" * 100_000,
    "a number of SQLite": 7,
    "nothing of SQLite": None,
    "a text of SQLite": "{\udcff",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_of_every_kind_is_a_decode_error(damage: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        undump(DAMAGE[damage], USAGES)


def test_the_byte_is_named() -> None:
    with pytest.raises(msgspec.DecodeError, match="not UTF-8: invalid start byte 0xff"):
        undump(b'{"x": "a\xff"}', msgspec.json.Decoder(dict[str, str]))
    with pytest.raises(msgspec.DecodeError, match="0x80"):
        undump(b'{"\x80": "x"}', msgspec.json.Decoder(dict[str, str]))


@given(st.binary())
def test_no_bytes_are_a_bug(body: bytes) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        undump(body, msgspec.json.Decoder())


def test_what_was_dumped_comes_back() -> None:
    assert undump(dump(Usage(cost_usd=1.5)), USAGES) == Usage(cost_usd=1.5)
