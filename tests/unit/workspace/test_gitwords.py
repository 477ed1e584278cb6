"""What git says is told by the line that matters, with what a person can do."""

from __future__ import annotations

import pytest

from stretto.workspace import gitwords

NO_LFS = "git-lfs filter-process: 1: git-lfs: not found\nfatal: the remote end hung up unexpectedly"
NO_OBJECT = """Downloading big.bin (12 B)
Error downloading object: big.bin (aaaaaaa): Smudge error: Error downloading big.bin (aaaaaaa): batch response: \
Repository or object not found: https://localhost/git-lfs
Errors logged to '/repo/.git/lfs/logs/20261122T010000.log'.
error: external filter 'git-lfs filter-process' failed
fatal: big.bin: smudge filter lfs failed"""
MANY = "\n".join(f"error: '{n}.bin' was not filtered properly" for n in range(5))
CASES = (
    (NO_OBJECT, "objects of Git LFS are missing here: big.bin", "git lfs pull"),
    (MANY, "objects of Git LFS are missing here: 0.bin, 1.bin, 2.bin and 2 more", "git lfs pull"),
    ("fatal: a b/c.bin: smudge filter lfs failed", "objects of Git LFS are missing here: a b/c.bin", "git lfs pull"),
    (
        "error: cannot run git-lfs: No such file or directory\nfatal: b.bin: smudge filter lfs failed",
        "fatal: b.bin: smudge filter lfs failed",
        "install git-lfs",
    ),
    ("fatal: not a thing\nhint: try another", "fatal: not a thing", ""),
    ("", "status 1", ""),
    (NO_LFS, "git-lfs filter-process: 1: git-lfs: not found (fatal: the remote end hung up", "install git-lfs"),
    ("fatal: k.up: clean filter 'up' failed", "fatal: k.up: clean filter 'up' failed", "'^filter[.]up'"),
    ("error: external filter 'x' failed 1\nfatal: b: smudge filter my-one failed", "fatal: b", "'^filter[.]my-one'"),
    ("fatal: could not fetch 12 from promisor remote", "fatal: could not fetch", "its remote is out of reach"),
    ("fatal: Unable to create '/a b/index.lock': File exists.", "fatal: Unable", "rm '/a b/index.lock'"),
    ("fatal: unable to write loose object file: No space left on device", "fatal: unable", "df -h '/the repo'"),
    ("fatal: sha1 file 'x.lock' write error. Out of diskspace", "fatal: sha1 file", "df -h '/the repo'"),
    ("error: insufficient permission for adding an object to repository database o", "error: in", "ls -ld '/the repo'"),
    ("fatal: bad object HEAD", "fatal: bad object HEAD", "git fsck"),
)


@pytest.mark.parametrize(("stderr", "line", "hint"), CASES)
def test_words_and_advice(stderr: str, line: str, hint: str) -> None:
    assert gitwords.told(stderr, 1).startswith(line)
    assert hint in gitwords.hint(stderr, "/the repo")
    assert bool(hint) == bool(gitwords.hint(stderr, "/the repo"))


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ('error: open("secret"): Permission denied\nfatal: Unable to process path secret', False),
        ("error: unable to create temporary file: No space left on device\nfatal: Unable to process path a", True),
        ("error: insufficient permission for adding an object to repository database .git/objects", True),
        ("fatal: unable to write loose object file: Read-only file system", True),
    ],
)
def test_r7_1_a_file_that_cannot_be_read_is_no_disk_that_cannot_be_written(stderr: str, expected: bool) -> None:
    assert gitwords.is_of_the_disk(stderr) is expected
