"""A git folder that the user may not write to is told before a run meets it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.toy import Toy
from stretto.model.health import Observation
from stretto.workspace.health import examine


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path, {"a": "1"})


@pytest.fixture
def read_only(toy: Toy) -> Iterator[Path]:
    """Its git folder, on a disk that takes nothing."""
    folder = toy.repository / ".git"
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    for words in (("--bind", str(folder), str(folder)), ("-o", "remount,bind,ro", str(folder))):
        if subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
            pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def looked(toy: Toy) -> Observation | None:
    async def look() -> list[Observation]:
        return [seen async for seen in examine(toy.repository, toy.env)]

    return next((seen for seen in asyncio.run(look()) if seen.about == "git folder"), None)


def test_a_git_folder_on_a_read_only_disk(toy: Toy, read_only: Path) -> None:
    seen = looked(toy)
    assert seen is not None and seen.verdict == "problem"
    assert str(read_only) in seen.told
    assert seen.mend == f"it is mounted read-only: findmnt --target {read_only}"


@pytest.mark.parametrize("place", [".", "objects", "objects/pack", "refs/heads"])
@pytest.mark.parametrize("theirs", [True, False])
def test_a_folder_in_it_that_is_closed(toy: Toy, place: str, theirs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Played by the system's answer: the tests may run as a user who may do anything."""
    common = toy.repository / ".git"
    closed = common / place
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed and real(path, mode))
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1 if theirs else me)
    seen = looked(toy)
    assert seen is not None and seen.verdict == "problem"
    assert seen.told == f"you may not write to {closed}"
    assert seen.mend == (f'sudo chown -R "$(id -un)" {common}' if theirs else f"chmod -R u+rwX {common}")


def test_one_that_is_open(toy: Toy) -> None:
    assert looked(toy) is None
