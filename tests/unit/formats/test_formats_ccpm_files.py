"""ccpm's epics: no task file is lost without a word, and slips in keys are read where their meaning is plain."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from stretto.errors import PlanError
from stretto.formats.ccpm.status import write_files
from stretto.formats.load import load
from stretto.formats.syntax.front_matter import front_matter
from stretto.model.plan import Finding
from unit.formats.corpus import sample
from unit.formats.test_formats_ccpm import GIFTS, codes, epic, refused, task_file

BROKEN = [
    (b"\xff\xfe\x00", "encoding", 1),
    (task_file(body="Nul\0l\n").encode(), "encoding", 11),
    (task_file(body="caf\xe9\n").encode("latin-1"), "encoding", 11),
    (b"", "empty", 1),
    (b"x" * (512 * 1024 + 1), "too-large", 1),
    (task_file().replace("[]\n---\n", "[]\n").encode(), "syntax", 6),
    (task_file().replace("[]\n---\n\n#", "[]\n##").encode(), "syntax", 6),
    (task_file(body="One.\n\n---\n\nTwo.\n").replace("[]\n---\n", "[]\n").encode(), "syntax", 6),
    (b"---\nname: A\nstatus: open\n", "syntax", 3),
    (b"---\r\nname: A\r\nstatus: open\r\n\r\nDo it.\r\n", "syntax", 3),
]


@pytest.mark.parametrize(("data", "code", "line"), BROKEN)
@pytest.mark.parametrize("name", ["002.md", "71.md"])
def test_a_task_file_that_cannot_be_read_is_no_plan_with_a_hole(
    name: str, data: bytes, code: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    (found,) = refused(tmp_path, t001=task_file())
    assert (found.code, found.severity) == (code, "error")
    assert found.hint
    assert found.location is not None
    assert (found.location.file, found.location.line) == (str(tmp_path / name), line)


@pytest.mark.parametrize("kind", ["link", "folder", "link to nothing"])
def test_what_stands_for_a_task_file_is_told_at_its_place(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "002.md"
    path.mkdir() if kind == "folder" else path.symlink_to(tmp_path / ("001.md" if kind == "link" else "gone.md"))
    (found,) = refused(tmp_path, t001=task_file())
    assert (found.code, found.location and found.location.file) == ("unreadable", str(path))


def test_a_broken_file_with_another_name_is_told_if_it_was_a_task(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes("caf\xe9".encode("latin-1"))
    assert [task.id for task in epic(tmp_path, t001=task_file()).plan.tasks] == ["001"]
    (tmp_path / "login.md").write_bytes(task_file(body="caf\xe9\n").encode("latin-1"))
    (found,) = refused(tmp_path, t001=task_file())
    assert (found.code, found.location and Path(found.location.file).name) == ("encoding", "login.md")


def test_every_broken_file_is_told_at_once_with_the_epic_too(tmp_path: Path) -> None:
    for name in ("002.md", "003.md", "epic.md"):
        (tmp_path / name).write_bytes(b"\xff")
    (tmp_path / "001.md").write_text(task_file())
    with pytest.raises(PlanError) as caught:
        load(tmp_path / "001.md")
    told = [Path(x.location.file).name for x in caught.value.findings if x.location]
    assert told == ["002.md", "003.md", "epic.md"]


def test_a_folder_that_may_not_be_listed_is_no_epic_of_one_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> Iterator[os.DirEntry[str]]:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "001.md").write_text(task_file())
    monkeypatch.setattr("os.scandir", closed)
    with pytest.raises(PlanError) as caught:
        load(tmp_path / "001.md")
    assert [x.code for x in caught.value.findings] == ["unreadable"]


SLIPS = [
    task_file().replace("status:", "Status:"),
    task_file().replace("status:", "STATUS :").replace("depends_on", "Depends-On"),
    task_file().replace("status: ", "status:"),
    task_file().replace("status", '"status"').replace("name", "'name'"),
    task_file().replace("\nstatus", "\n  status"),
    task_file().replace("\nconflicts_with", "\n\tconflicts_with"),
    "".join(f"  {x}" if ":" in x[:16] else x for x in task_file().splitlines(keepends=True)),
    task_file().replace("\n", "\r\n"),
    task_file().replace("status: open\n", ""),
    "---\nname: A task\ndepends_on: [001]\n---\nDo it.\n",
]


@pytest.mark.parametrize("slip", SLIPS)
def test_keys_whose_meaning_is_plain_are_read_and_kept_in_their_spelling(slip: str, tmp_path: Path) -> None:
    slip = slip.replace("[]", "[001]", 1)
    files = {"t001": task_file(), "t002": slip}
    for name, text in files.items():
        (tmp_path / f"{name[1:]}.md").write_bytes(text.encode())
    plan = load(tmp_path / "001.md").plan
    assert [(task.id, task.title, task.depends_on, task.status) for task in plan.tasks] == [
        ("001", "A task", (), "pending"), ("002", "A task", ("001",), "pending")
    ]  # fmt: skip
    assert codes(load(tmp_path / "001.md")) == []
    held = {name: (tmp_path / name).read_bytes() for name in ("001.md", "002.md")}
    assert write_files(held, {"002": "pending"}) == {}
    (written,) = write_files(held, {"002": "succeeded"}).values()
    (tmp_path / "002.md").write_bytes(written)
    assert [task.status for task in load(tmp_path / "001.md").plan.tasks] == ["pending", "succeeded"]
    before, after = slip.encode().split(b"\n"), written.split(b"\n")
    assert len([x for x in after if x not in before]) == 1, "one line has changed, or come"
    assert write_files(held | {"002.md": written}, {"002": "succeeded"}) == {}


@pytest.mark.parametrize(
    ("front", "keys"),
    [
        ("must_haves:\n  status: x\nname: A", {"must_haves", "name"}),
        ("name: |\n  status: x", {"name"}),
        ("name: >-\n  status: x", {"name"}),
        ("depends_on: [1,\n  status: x]", {"depends_on"}),
        ("name: 'a\n  status: x'", {"name"}),
        ("name: 'a'\n  status: x", {"name", "status"}),
        ("depends_on: []\n  status: x", {"depends_on", "status"}),
        ("  a:\n    b: 1\n  c: 2", {"a", "c"}),
        ("a: 1\n  b:\n    c: 1\nd: 2", {"a", "b", "d"}),
        ("https://example.org", set()),
    ],
)
def test_what_is_within_a_value_is_no_key(front: str, keys: set[str]) -> None:
    found = front_matter(f"---\n{front}\n---\n\n# A\n")
    assert (set(found.fields) if found else set()) == keys


@pytest.mark.parametrize("text", ["Not a task.\n", "---\n\n# After a line\n", "---\nauthor: kim\n---\n\nWords.\n"])
def test_a_numbered_file_that_is_no_task_is_told(text: str, tmp_path: Path) -> None:
    loaded = epic(tmp_path, t001=task_file(), t003=text)
    assert [task.id for task in loaded.plan.tasks] == ["001"]
    (found,) = loaded.findings
    assert (found.code, found.severity) == ("passed-over", "warning")
    assert found.location is not None
    assert Path(found.location.file).name == "003.md"


def test_a_task_file_with_another_suffix_is_told(tmp_path: Path) -> None:
    (tmp_path / "002.MD").write_text(task_file())
    assert codes(epic(tmp_path, t001=task_file())) == ["passed-over"]


def test_a_note_between_keys_is_no_end_of_them(tmp_path: Path) -> None:
    text = task_file().replace("parallel", "\n# how it stands\nparallel")
    assert [task.id for task in epic(tmp_path, t001=text).plan.tasks] == ["001"]


def test_an_epic_with_more_files_than_are_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stretto.formats.ccpm.folder._MOST", 3)
    files = {f"t00{i}": task_file() for i in range(1, 4)}
    (tmp_path / "001-analysis.md").write_text("Words.\n")
    assert len(epic(tmp_path, **files).plan.tasks) == 3
    (found,) = refused(tmp_path, t004=task_file())
    assert found.code == "too-large"
    assert "4 task files" in found.message
    assert "3 of them" in found.message


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("folder", [GIFTS, "ccpm/synced", "ccpm/by-hand"])
def test_no_numbered_file_is_lost_without_a_word(folder: str, seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    files = sorted(sample(folder).glob("*.md"))
    for path in files:
        data = bytearray(path.read_bytes())
        if path.name != "epic.md":
            for _ in range(random_.randrange(3)):
                at = random_.randrange(len(data))
                data[at : at + random_.choice((0, 1, 4, 40))] = random_.choice(
                    (b"", b"\0", b"\xe9", b"\n", b" ", b"---")
                )
        (tmp_path / path.name).write_bytes(data)
    findings: tuple[Finding, ...] = ()
    known: set[str] = set()
    try:
        loaded = load(tmp_path / "epic.md")
        known, findings = {task.id for task in loaded.plan.tasks}, loaded.findings
    except PlanError as error:
        findings = error.findings
        assert any(finding.severity == "error" for finding in findings)
        return
    told = {Path(finding.location.file).stem for finding in findings if finding.location}
    told |= {id for finding in findings for id in finding.tasks}
    assert {path.stem for path in files if path.stem.isdecimal()} <= known | told
