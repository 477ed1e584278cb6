"""Odd files that live in one repository: how each comes there, what an agent does to it, and what must be true then."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from e2e.toy import Toy

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"
NFC, NFD = "caf\u00e9.txt", "cafe\u0301.txt"
DEEP = "/".join(["d" * 100] * 12)
ODD = ('say "hi"', "two\nlines", " -rf", ":(top)x", f"{DEEP}/file")


class Animal(NamedTuple):
    """One odd thing. `agent` is what a task's agent runs; `holds` is asked when its work has landed."""

    condition: str
    prepare: Callable[[Toy], None]
    agent: str
    holds: Callable[[Toy], object]


def write(*paths: str, text: str = "x\n") -> Callable[[Toy], None]:
    return lambda toy: toy.write(dict.fromkeys(paths, text))


def said(toy: Toy, *args: str) -> str:
    """What git answers, also where that is not UTF-8."""
    return os.fsdecode(subprocess.run(["git", *args], cwd=toy.repository, env=toy.env, capture_output=True).stdout)


def reads(path: str) -> Callable[[Toy], str]:
    return lambda toy: toy.git("show", f"HEAD:{path}")


def names(toy: Toy) -> set[str]:
    return set(said(toy, "ls-files", "-z").split("\0"))


def mode(toy: Toy, path: str) -> str:
    return toy.git("ls-tree", "HEAD", "--", path).split()[0]


def submodules(toy: Toy) -> None:
    """One that is filled in the user's tree, one with a submodule inside, one that is not."""
    inner = Toy(toy.root / "inner", {"core.c": "int y;\n"}, folder="inner")
    library = Toy(toy.root / "library", {"lib.c": "int x;\n"}, folder="library")
    for owner, from_ in ((library, inner), (toy, library)):
        for name in ("deep",) if owner is library else ("full", "empty"):
            owner.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(from_.repository), name)
        owner.commit("submodules", {".keep": ""})
    toy.git("submodule", "deinit", "-q", "-f", "empty")
    toy.git("-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive", "full")


def modes_and_links(toy: Toy) -> None:
    write("run.sh", "plain")(toy)
    (toy.repository / "run.sh").chmod(0o755)
    for name, target in {"dangling": "nowhere", "outside": "/etc/passwd", "folder": "src"}.items():
        (toy.repository / name).symlink_to(target)


def line_endings(toy: Toy) -> None:
    toy.git("config", "core.autocrlf", "true")
    toy.write({".gitattributes": "*.sh eol=lf\n*.bat eol=crlf\n*.id ident\nversion export-subst\n*.up filter=up\n"
               "*.bin filter=lfs -text\n"})  # fmt: skip
    (toy.repository / "windows.bat").write_bytes(b"one\r\n")
    toy.write({"my.id": "$Id$\n", "version": "$Format:%H$\n", "text": "one\n"})


def filters(toy: Toy) -> None:
    for key, value in (("clean", "tr a-z A-Z"), ("smudge", "tr A-Z a-z"), ("required", "true")):
        toy.git("config", f"filter.up.{key}", value)
    toy.write({"stored.up": "hello\n"})


def two_of_a_kind(toy: Toy) -> None:
    toy.write({"Twin": "1\n", "twin": "2\n", "Readme.txt": "r\n", NFC: "composed\n"})


def odd_names(toy: Toy) -> None:
    toy.write(dict.fromkeys(ODD, "x\n"))
    (toy.repository / os.fsdecode(b"latin-\xe9")).write_bytes(b"x\n")


def nested(toy: Toy) -> None:
    """Not part of the repository, and not to be touched."""
    Toy(toy.repository / "mine", {"precious": "p\n"}, folder="other")


def refs_of(toy: Toy, kind: str) -> str:
    """What lies beside attempts, path by path."""
    found = [ref for ref in toy.git("for-each-ref", "--format=%(refname)", "refs/stretto").split() if kind in ref]
    return "".join(said(toy, "ls-tree", "-r", "--name-only", ref) for ref in found)


def not_expanded(toy: Toy) -> bool:
    return toy.git("show", "HEAD:my.id") == "$Id$\nmore\n" and toy.git("show", "HEAD:version") == "$Format:%H$\nmore\n"


ANIMALS = (
    Animal("submodules", submodules, "echo work > beside-submodules", lambda toy: mode(toy, "full") == "160000"),
    Animal("an agent edits inside a submodule", lambda toy: None,
           "git -c protocol.file.allow=always submodule update -q --init --recursive && echo edit >> full/lib.c && "
           "echo edit >> full/deep/core.c && echo ok > edited",
           lambda toy: {"full/lib.c", "full/deep/core.c"} <= set(refs_of(toy, "-copied").split())),
    Animal("an agent commits inside a submodule", lambda toy: None,
           "git -c protocol.file.allow=always submodule update -q --init full && cd full && echo more > more.c && "
           "git add more.c && git -c user.name=a -c user.email=a@b commit -qm more && cd .. && echo ok > committed",
           lambda toy: "full/more.c" in refs_of(toy, "-copied") and mode(toy, "full") == "160000"),
    Animal("an agent writes where an uninitialised submodule would be", lambda toy: None,
           "echo new > empty/new.c; echo ok > wrote", lambda toy: "empty/new.c" in refs_of(toy, "-copied")),
    Animal("file modes and symbolic links, also dangling or out of the tree", modes_and_links,
           "chmod +x plain; chmod -x run.sh; ln -s ../nowhere src/link; ln -sfn elsewhere dangling",
           lambda toy: (mode(toy, "plain"), mode(toy, "run.sh"), mode(toy, "src/link"), mode(toy, "outside"))
           == ("100755", "100644", "120000", "120000")),
    Animal("`core.autocrlf`, `eol` attributes", line_endings, "printf 'two\\r\\n' >> windows.bat; echo two >> text",
           lambda toy: "i/lf    w/crlf" in toy.git("ls-files", "--eol", "windows.bat")
           and toy.git("show", "HEAD:windows.bat") == "one\ntwo\n"),
    Animal("`ident`, `export-subst`", lambda toy: None, "echo more >> my.id; echo more >> version", not_expanded),
    Animal("clean and smudge filters, also required ones", filters, "cat stored.up; echo more > new.up",
           lambda toy: (reads("stored.up")(toy), reads("new.up")(toy)) == ("HELLO\n", "MORE\n")),
    Animal("Git LFS pointers, git-lfs not set up", write("big.bin", text=POINTER), "echo raw > small.bin",
           lambda toy: (reads("big.bin")(toy), reads("small.bin")(toy)) == (POINTER, "raw\n")),
    Animal("names that differ only in case; a rename that changes only case", two_of_a_kind,
           "echo more >> twin; git mv Readme.txt README.txt",
           lambda toy: (reads("Twin")(toy), reads("twin")(toy)) == ("1\n", "2\nmore\n")
           and {"Twin", "twin", "README.txt"} <= names(toy) and "Readme.txt" not in names(toy)),
    Animal("names in composed and decomposed Unicode", lambda toy: None, f"echo decomposed > {NFD}",
           lambda toy: (reads(NFC)(toy), reads(NFD)(toy)) == ("composed\n", "decomposed\n")),
    Animal("names with quotes, newlines, leading dashes or no UTF-8; paths of 1,200 characters", odd_names,
           f"for f in 'say \"hi\"' 'two\nlines' './ -rf' ':(top)x' {DEEP}/file \"$(printf 'latin-\\351')\"; do "
           'echo more >> "$f"; done',
           lambda toy: all(reads(name)(toy) == "x\nmore\n" for name in ODD)
           and (toy.repository / os.fsdecode(b"latin-\xe9")).read_text() == "x\nmore\n"),
    Animal("a repository inside the repository", nested, "git init -q made && echo inner > made/file",
           lambda toy: reads("made/file")(toy) == "inner\n"
           and (toy.repository / "mine/other/precious").read_text() == "p\n"),
)  # fmt: skip

ODD_SETTINGS = {
    "core.editor": "false", "commit.gpgsign": "true", "tag.gpgsign": "true", "user.useConfigOnly": "true",
    "gc.auto": "1", "core.fsmonitor": "/nowhere", "core.untrackedCache": "true", "init.defaultBranch": "odd",
    "merge.ff": "false", "pull.rebase": "true", "status.showUntrackedFiles": "no", "diff.noprefix": "true",
    "diff.external": "false", "core.pager": "false", "color.ui": "always", "gpg.format": "ssh", "core.abbrev": "4",
    "feature.manyFiles": "true", "index.sparse": "true", "push.default": "nothing", "protocol.file.allow": "never",
    "submodule.recurse": "true", "rerere.enabled": "true", "merge.renames": "false", "core.quotePath": "true",
    "merge.conflictStyle": "zdiff3", "core.splitIndex": "true", "log.showSignature": "true",
}  # fmt: skip
HOOKS = (
    "pre-commit", "post-checkout", "reference-transaction", "post-index-change", "post-merge", "pre-merge-commit",
    "commit-msg", "prepare-commit-msg", "post-commit", "pre-auto-gc",
)  # fmt: skip


def hook(toy: Toy, log: Path) -> None:
    """Every hook notes that it ran, but for an agent's own git."""
    for name in HOOKS:
        path = toy.repository / ".git" / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntest -n \"$STRETTO_TASK\" || echo {name} >> '{log}'\n")
        path.chmod(0o755)
