"""Five storms on every change; fifty by hand: `python -m e2e.storm --rounds 50` from the folder tests/."""

from pathlib import Path

from e2e.storm import weather


def test_r8_2_five_storms_are_weathered(tmp_path: Path) -> None:
    weather(5, 2, tmp_path)
