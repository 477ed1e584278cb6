"""A byte that is not UTF-8 in a small file of the state folder counts like any other damage to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stretto.engine.disposal import owed
from stretto.engine.home import CONTEXT, Launch, RepositoryHome
from stretto.engine.journal import SqliteInbox
from stretto.engine.lock import RunLock
from stretto.engine.verdicts import Green, Question, Verdicts
from stretto.errors import StateError, WorkspaceError
from stretto.ports import Engine
from stretto.workspace.pool import Slot
from stretto.workspace.spare import Spare

LAUNCH = Launch(
    repository="/r", common_dir="/r/.git", plan_path="/r/p.yaml", plan_format="stretto", branch="c", base="b"
)


def test_r8_7_context_files_are_named_with_a_hint(tmp_path: Path) -> None:
    run = RepositoryHome(path=tmp_path / "state").make().create("r", LAUNCH, b"", files={CONTEXT: b'{"a\xff": {}}'})
    with pytest.raises(StateError, match=r"context\.json: it is not UTF-8") as caught:
        run.context()
    assert "--new" in caught.value.hint


def test_a_wish_is_answered_with_a_no(tmp_path: Path) -> None:
    run = RepositoryHome(path=tmp_path / "state").make().create("r", LAUNCH, b"")
    inbox = SqliteInbox(run.journal)
    wish = b'{"kind": "TasksRetried", "at": 1, "tasks": ["\xff"]}'
    inbox._execute("INSERT INTO inbox (request, at, wish) VALUES ('q', 1.0, ?)", (wish,))
    assert inbox.waiting() == []
    accepted, why = inbox.answered("q") or (True, "")
    assert not accepted
    assert "not UTF-8" in why
    inbox.close()


def test_r6_1a_a_verdict_is_none(tmp_path: Path) -> None:
    question = Question(contents="c", task="t", env="e", proofs=())
    verdicts = Verdicts(tmp_path)
    verdicts.keep(Green(question=question, at=1.0, logs=("log",)))
    assert verdicts.find(question) is not None
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"log"', b'"\xff"'))
    assert verdicts.find(question) is None


def test_r7_3_refs_that_are_owed_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "refs.json").write_bytes(b'{"refs/heads/\xff": "c"}')
    assert owed(tmp_path) == {}


def test_r8_5_an_owner_without_a_name_is_an_owner(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with RunLock(path):
        path.write_bytes(b'{"pid": 1, "host": "\xff", "started": 1.0}')
        assert RunLock(path).holder() == Engine(pid=0, host="")


@pytest.mark.parametrize(("suffix", "name"), [(".lease", "lease"), (".fitting", "fitting"), (".left", "left")])
def test_r7_3_a_record_of_a_worktree_is_named_with_a_hint(tmp_path: Path, suffix: str, name: str) -> None:
    slot = Slot(tmp_path / "1", -1)
    (tmp_path / f"1{suffix}").write_bytes(b'{"run": "\xff", "commit": "\xff", "stamps": {"\xff": ""}}')
    with pytest.raises(WorkspaceError, match=rf"1\{suffix} cannot be read: it is not UTF-8") as caught:
        getattr(slot, name)
    assert "remove it" in caught.value.hint


@pytest.mark.parametrize("record", [b"\xff", b"{", b"{}", b"7", b'{"tops": 7, "marks": 7}', b"[" * 100_000])
def test_r7_3_set_up_is_owed_again_where_nobody_knows_what_it_made(tmp_path: Path, record: bytes) -> None:
    (tmp_path / "1").mkdir()
    spare = Spare(tmp_path / "1")
    spare.take(())
    assert spare.restore()
    (tmp_path / "1.spare.json").write_bytes(record)
    assert not spare.restore()
