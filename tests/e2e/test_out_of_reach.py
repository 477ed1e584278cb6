"""A path that cannot even be looked at, too long or behind a closed folder: exit 2, with a hint."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.toy import Toy
from stretto.cli.main import main

PLAN = "name: p\nphases: [{id: p, tasks: [{id: a, prompt: x}]}]\n"
VERBS = (
    "check", "show", "run", "convert", "discover --prompt", "scaffold status", "scaffold subplans", "scaffold pages",
    "config --plan", "convert plan.yaml -o", "discover plan.yaml -o", "discover plan.yaml --answer",
)  # fmt: skip
LONG = ("a" * 300, "a" * 5000, "a/" * 2500 + "b")
_MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Root may search every folder, unless it goes without that."""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"plan.yaml": PLAN})


@pytest.mark.parametrize("verb", VERBS)
def test_a_name_that_is_too_long_is_refused_with_a_hint(
    toy: Toy, verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(toy.repository)
    monkeypatch.setenv("STRETTO_STATE_DIR", str(toy.state))
    for name in LONG:
        code = main([*verb.split(), name])
        out, err = capsys.readouterr()
        assert (code, "Traceback" in err) == (2, False), err
        assert "hint: " in out + err


def test_a_long_name_within_a_plan_is_refused(toy: Toy) -> None:
    for key in (f"prompt_template: {'a' * 300}", f"tasks: [{{id: b, prompt_file: {'a' * 300}}}]"):
        (toy.repository / "long.yaml").write_text(f"name: p\n{key}\n{PLAN.splitlines()[1]}\n")
        for verb in ("check", "run"):
            done = toy.stretto(verb, "long.yaml", code=2)
            assert "hint: " in done.stdout + done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_that_may_not_be_searched_is_named(toy: Toy, verb: str) -> None:
    mortal = () if os.geteuid() else _MORTAL
    if mortal and shutil.which(mortal[0]) is None:
        pytest.skip("root, and no setpriv")
    closed = toy.repository / "closed"
    closed.mkdir()
    (closed / "plan.yaml").write_text(PLAN)
    closed.chmod(0)
    try:
        for name in ("closed", "closed/plan.yaml"):
            done = subprocess.run(
                [*mortal, sys.executable, "-m", "stretto", *verb.split(), name],
                cwd=toy.repository, env=toy.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            said = done.stdout + done.stderr
            assert done.returncode == 2 and "hint: " in said and "closed" in said, (name, said)
            assert "Traceback" not in said and "this is a folder" not in said
    finally:
        closed.chmod(0o700)
