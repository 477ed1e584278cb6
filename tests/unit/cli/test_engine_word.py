"""The engine's last word is told as it said it, with its own hint where it has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.cli.front import KILLED, _complain_of
from stretto.engine.home import RunHome

FULL = "error: the journal takes no more events: full\nhint: make room\nthen: stretto resume run-1\n"


@pytest.mark.parametrize(
    ("log", "code", "told"),
    [
        (FULL, 3, "error: the journal takes no more events: full\nhint: make room\nthen: stretto resume run-1\n"),
        ("noise\nerror: x\n", 3, "error: x\nhint: see LOG, then: stretto resume run-1\n"),
        ("Traceback\nValueError: y\n", 70, "error: ValueError: y\nhint: see LOG, then: stretto resume run-1\n"),
        ("", KILLED, "error: the engine was killed\nhint: stretto resume run-1\n"),
        ("", 70, "error: the engine ended with 70\nhint: see LOG, then: stretto resume run-1\n"),
    ],
)
def test_r8_2_what_an_engine_says_at_its_end_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log: str, code: int, told: str
) -> None:
    home = RunHome(path=tmp_path / "run-1")
    home.path.mkdir()
    home.engine_log.write_text(f"error: of an earlier engine\nhint: old\n{log}")
    assert _complain_of(home, code, home.engine_log.stat().st_size - len(log)) == code
    assert capsys.readouterr().err == told.replace("LOG", str(home.engine_log))
