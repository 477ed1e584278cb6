"""Where state lives, how runs are named and found, and that a run's folder appears whole or not at all."""

from __future__ import annotations

import os
import time
from itertools import count
from pathlib import Path

import msgspec
import pytest

from stretto.core.events import RunResumed
from stretto.engine.home import (
    CONTEXT,
    NETWORK,
    TEMPLATE,
    Launch,
    RepositoryHome,
    new_run_id,
    refuse_network,
    repository_home,
    state_dir,
    write_whole,
)
from stretto.engine.journal import SqliteJournal
from stretto.errors import RunNotFound, StateError
from stretto.model.agent import AgentSpec
from stretto.ports import Recorded

LAUNCH = Launch(
    repository="/home/kim/shop",
    common_dir="/home/kim/shop/.git",
    plan_path="/home/kim/shop/plans/shop.yaml",
    plan_in_repository="plans/shop.yaml",
    plan_format="stretto",
    branch="stretto/shop-1",
    user_branch="main",
    base="c0ffee",
    agents={"claude": AgentSpec(kind="claude"), "mine": AgentSpec(command="make it so")},
    agent="claude",
    env_pass=("LANG",),
    land_at_end=True,
    interactive=True,
)
EVENING = 1795286700.0
"""2026-11-21 18:45:00 UTC."""


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(path=tmp_path / "shop-12345678")


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"STRETTO_STATE_DIR": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/s"),
        ({"STRETTO_STATE_DIR": "", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/stretto"),
        ({"XDG_STATE_HOME": "not/absolute", "HOME": "/h"}, "/h/.local/state/stretto"),
        ({"HOME": "/h"}, "/h/.local/state/stretto"),
    ],
)
def test_the_first_variable_that_is_set_decides(env: dict[str, str], folder: str) -> None:
    assert state_dir(env) == Path(folder)


def test_a_relative_state_folder_is_made_absolute() -> None:
    assert state_dir({"STRETTO_STATE_DIR": "here"}) == Path.cwd() / "here"


def test_without_any_variable_there_is_no_place() -> None:
    with pytest.raises(StateError, match="HOME") as caught:
        state_dir({})
    assert "STRETTO_STATE_DIR" in caught.value.hint


def test_a_repository_has_one_home_by_whatever_way_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "Shop" / ".git").mkdir(parents=True)
    (tmp_path / "link").symlink_to("Shop")
    home = repository_home(tmp_path, tmp_path / "Shop" / ".git")
    assert home == repository_home(tmp_path, tmp_path / "link" / ".git")
    assert home.path.parent == tmp_path
    assert home.path.name.startswith("shop-")
    assert len(home.path.name) == len("shop-12345678")
    (tmp_path / "elsewhere" / "Shop" / ".git").mkdir(parents=True)
    assert repository_home(tmp_path, tmp_path / "elsewhere" / "Shop" / ".git") != home


def test_a_bare_repository_gives_its_own_name(tmp_path: Path) -> None:
    assert repository_home(tmp_path, tmp_path / "shop.git").path.name.startswith("shop-")


def test_a_run_is_named_after_its_plan_and_the_time() -> None:
    assert new_run_id("Gates", EVENING, (), lambda n: b"\x3f\x9c"[:n]) == "gates-261121-1845-3f9c"
    long = new_run_id("A plan with a name that goes on and on", EVENING, ())
    assert long.startswith("a-plan-with-a-name-that-261121-1845-")
    assert new_run_id("計画", EVENING, ()).count("-261121-1845-") == 1


def test_a_name_is_never_given_twice() -> None:
    chance = count()
    taken = {f"p-261121-1845-{n:08x}" for n in range(3)}
    assert new_run_id("p", EVENING, taken, lambda n: next(chance).to_bytes(n, "big")) == "p-261121-1845-00000003"


def test_a_run_is_made_whole(home: RepositoryHome) -> None:
    resumed = RunResumed(at=1.0)
    run = home.create("shop-1", LAUNCH, b"name: shop\n", events=[resumed], files={"context.json": b"{}"})
    assert (run.path / "context.json").read_bytes() == b"{}"
    assert run.run == "shop-1"
    assert run.launch() == LAUNCH
    assert run.plan().read_bytes() == b"name: shop\n"
    assert run.plan().name == "shop.yaml"
    assert run.repository == home
    journal = SqliteJournal(run.journal)
    assert list(journal.read()) == [Recorded(seq=1, event=resumed)]
    journal.close()
    assert [path.name for path in (home.path / "runs").iterdir()] == ["shop-1"]


def test_a_run_that_cannot_be_made_leaves_nothing(home: RepositoryHome) -> None:
    home.create("shop-1", LAUNCH, b"first")
    with pytest.raises(StateError, match="cannot make"):
        home.create("shop-1", LAUNCH, b"second")
    assert [path.name for path in (home.path / "runs").iterdir()] == ["shop-1"]
    assert home.find("shop-1").plan().read_bytes() == b"first"


def test_a_draft_is_no_run(home: RepositoryHome) -> None:
    home.create("shop-1", LAUNCH, b"")
    draft = home.path / "runs" / ".new-abc"
    draft.mkdir()
    (draft / "launch.json").write_text("{}")
    (home.path / "runs" / "no-launch").mkdir()
    assert [run.run for run in home.runs()] == ["shop-1"]


def test_runs_are_found_by_id_by_beginning_and_by_being_the_latest(home: RepositoryHome) -> None:
    for n, run in enumerate(("shop-b", "blog-a", "shop-a")):
        launch = home.create(run, LAUNCH, b"").path / "launch.json"
        os.utime(launch, (n, n))
    assert [run.run for run in home.runs()] == ["shop-b", "blog-a", "shop-a"]
    latest = home.latest()
    assert latest is not None
    assert latest.run == home.find().run == "shop-a"
    assert home.find("blog").run == "blog-a"
    assert home.find("shop-b").run == "shop-b"


def test_a_clock_that_was_set_back_makes_no_new_run_an_older_one(home: RepositoryHome) -> None:
    tomorrow = time.time() + 86400
    os.utime(home.create("b", LAUNCH, b"").path / "launch.json", (tomorrow, tomorrow))
    for run in ("c", "a"):
        home.create(run, LAUNCH, b"")
    assert [run.run for run in home.runs()] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("shop-", "shop-a, shop-b"), ("shopp-a", "did you mean shop-a?"), ("zzz", "stretto runs"), ("", "stretto runs")],
)
def test_what_is_not_found_is_said_with_a_hint(home: RepositoryHome, name: str, hint: str) -> None:
    home.create("shop-a", LAUNCH, b"")
    home.create("shop-b", LAUNCH, b"")
    with pytest.raises(RunNotFound) as caught:
        home.find(name)
    assert hint in caught.value.hint


def test_an_id_that_begins_another_is_no_question(home: RepositoryHome) -> None:
    home.create("shop", LAUNCH, b"")
    home.create("shop-2", LAUNCH, b"")
    assert home.find("shop").run == "shop"


@pytest.mark.parametrize("name", [None, "shop"])
def test_without_runs_the_hint_is_to_start_one(home: RepositoryHome, name: str | None) -> None:
    assert home.latest() is None
    with pytest.raises(RunNotFound) as caught:
        home.find(name)
    assert "stretto run" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', "\xff"])
def test_a_damaged_launch_file_is_said(home: RepositoryHome, text: str) -> None:
    run = home.create("shop-1", LAUNCH, b"")
    (run.path / "launch.json").write_text(text, encoding="latin-1")
    with pytest.raises(StateError, match=r"launch\.json"):
        run.launch()


def test_a_launch_file_of_a_newer_stretto_is_refused_and_its_unknown_fields_are_not_guessed(
    home: RepositoryHome,
) -> None:
    run = home.create("shop-1", msgspec.structs.replace(LAUNCH, version=99), b"")
    with pytest.raises(StateError, match="newer"):
        run.launch()


def test_r8_7_what_goes_with_prompts_is_kept_with_the_run(home: RepositoryHome) -> None:
    bare = home.create("shop-1", LAUNCH, b"")
    assert (bare.context(), bare.template()) == ({}, None)
    run = home.create("shop-2", LAUNCH, b"", files={CONTEXT: b'{"a": {"x.md": "y"}}', TEMPLATE: "{{ wörds }}".encode()})
    assert (run.context(), run.template()) == ({"a": {"x.md": "y"}}, "{{ wörds }}")
    (run.path / CONTEXT).write_bytes(b"[")
    with pytest.raises(StateError, match=r"context\.json"):
        run.context()
    (run.path / TEMPLATE).unlink()
    (run.path / TEMPLATE).mkdir()
    with pytest.raises(StateError, match=r"prompt\.md\.j2"):
        run.template()


def test_attempts_of_different_tasks_never_share_a_folder(home: RepositoryHome) -> None:
    run = home.create("shop-1", LAUNCH, b"")
    names = ["a/b", "a b", "A B", "..", "../..", "", "x" * 500, "日本"]
    folders = {run.attempt(name, 1).path for name in names}
    assert len(folders) == len(names)
    for folder in folders:
        assert folder.parent.parent == run.path / "attempts"
    assert run.attempt("x" * 500, 2).make().gates.is_dir()


@pytest.mark.parametrize("kind", sorted(NETWORK))
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = f"1 0 99:99 / / rw - ext4 /dev/x rw\n2 1 {number} / /mnt rw shared:1 - {kind} server:/x rw\n"
    with pytest.raises(StateError, match=kind.replace(".", r"\.")) as caught:
        refuse_network(tmp_path, mounts)
    assert "STRETTO_STATE_DIR" in caught.value.hint


def test_other_file_systems_are_fine(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    refuse_network(tmp_path, f"1 0 {number} / / rw - ext4 /dev/x rw\n2 1 99:99 / /mnt rw - nfs4 server:/x rw\n")
    refuse_network(tmp_path)


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"one")
    write_whole(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"two"
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateError, match="folder"):
        write_whole(tmp_path / "folder", b"three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
