"""The engine's process says 70 for whatever went wrong in it, never Python's own 1, which means failed tasks (R11)."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from stretto.cli import engine


@pytest.mark.parametrize(
    "raised",
    [
        asyncio.CancelledError("why"),
        BaseExceptionGroup("some", [asyncio.CancelledError("why")]),
        ExceptionGroup("some", [ExceptionGroup("more", [KeyError("why")])]),
    ],
    ids=["cancelled", "group of cancelled", "group of groups"],
)
def test_r11_what_nobody_expected_is_70_and_in_the_log(
    raised: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fall(*_: object) -> int:
        raise raised

    monkeypatch.setattr(engine, "_folder", contextlib.nullcontext)
    monkeypatch.setattr(engine, "_sweep", lambda home: None)
    monkeypatch.setattr(engine, "_run", fall)
    (tmp_path / "journal.sqlite3").touch()
    assert engine.main([str(tmp_path)]) == 70
    assert "why" in capsys.readouterr().err.splitlines()[-1]
