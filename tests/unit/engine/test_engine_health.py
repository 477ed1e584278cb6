"""What `stretto doctor` says of the state folder and of processes, with the system's answers given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from stretto.engine.health import processes, state_folder
from stretto.model.health import Observation

GB = 1 << 30


def disk(*, free: int = 10 * GB, read_only: bool = False, files: int = 1_000_000) -> os.statvfs_result:
    flags = os.ST_RDONLY if read_only else 0
    return os.statvfs_result((1, 1, free, free, free, 2_000_000, files, files, flags, 255))


def mounted(folder: Path, kind: str) -> str:
    device = folder.stat().st_dev
    return f"1 0 {os.major(device)}:{os.minor(device)} / / rw - {kind} none rw\n"


def looked(
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    kind: str = "ext4",
    room: os.statvfs_result | None = None,
    may: bool = True,
    work_tree: Path | None = None,
) -> list[Observation]:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return list(
        state_folder(
            {"STRETTO_STATE_DIR": str(folder)} if environ is None else environ,
            work_tree=work_tree,
            mounts=mounted(there, kind),
            room=lambda path: room or disk(),
            may=lambda path, mode: may,
        )
    )


def grave(found: list[Observation]) -> list[tuple[str, str, str]]:
    return [(seen.about, seen.verdict, seen.told) for seen in found if seen.verdict != "ok"]


def test_a_place_where_all_is_well(tmp_path: Path) -> None:
    found = looked(tmp_path / "state")
    assert grave(found) == []
    assert [seen.told for seen in found] == [f"{tmp_path / 'state'} (made by the first run)", "10.0 GB free"]
    assert not (tmp_path / "state").exists()
    assert {seen.area for seen in found} == {"state"}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"kind": "nfs4"}, ("file system", "problem")),
        ({"kind": "fuse.sshfs"}, ("file system", "problem")),
        ({"kind": "tmpfs"}, ("file system", "warning")),
        ({"room": disk(read_only=True)}, ("file system", "problem")),
        ({"room": disk(free=GB // 2)}, ("room", "warning")),
        ({"room": disk(free=1000)}, ("room", "problem")),
        ({"room": disk(files=10)}, ("room", "warning")),
        ({"may": False}, ("folder", "problem")),
        ({"environ": {}}, ("folder", "problem")),
    ],
    ids=str,
)
def test_places_with_a_trouble(tmp_path: Path, what: dict[str, object], expected: tuple[str, str]) -> None:
    found = looked(tmp_path, **what)  # type: ignore[arg-type]
    assert [(about, verdict) for about, verdict, _ in grave(found)] == [expected]
    (seen,) = (seen for seen in found if seen.verdict != "ok")
    assert seen.mend or seen.follows


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert grave(looked(tmp_path / "file" / "state")) == [("folder", "problem", f"{tmp_path / 'file'} is no folder")]


def test_a_state_folder_among_the_users_files(tmp_path: Path) -> None:
    assert grave(looked(tmp_path / "work" / "state", work_tree=tmp_path / "work")) == [
        ("folder", "warning", "it lies inside the work tree")
    ]
    assert grave(looked(tmp_path / "state", work_tree=tmp_path / "work")) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is Linux's")
def test_processes_of_this_machine() -> None:
    found = [seen for seen in processes() if seen.about == "processes"]
    assert [seen.verdict for seen in found] == ["ok"]


@pytest.mark.parametrize(("platform", "verdict"), [("darwin", "warning"), ("win32", "problem")])
def test_processes_elsewhere(platform: str, verdict: str) -> None:
    (seen,) = processes(platform)
    assert seen.verdict == verdict
