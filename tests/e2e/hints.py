"""Commands that stretto prints for people to copy: found in what it says, and taken in the very state it spoke of."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from e2e.toy import Toy
from stretto.model.plan import Value

_ALONE = re.compile(r"^(?P<words>.*: +)?(?P<command>(?:stretto|git|rm|mv) .+)$")
"""A command has a line to itself, or the end of one, behind a colon."""
_QUOTED = re.compile(r"`(stretto [a-z-][^`]*)`")
_TELLS = re.compile(r"error: |(ok|warning|problem)  ")
"""How a line begins that says what is, not what to do."""
_OPEN = re.compile(r"(?<!\$)\b[A-Z]{2,}\b")
FORMS = frozenset({"stretto run PLAN"})
"""What nobody can copy: only the person knows the rest."""
OWN_WORDS = frozenset({"HEAD", "WHY", "YOUR", "NAME", "ADDRESS"})
"""Deliberate: a person would say something else in their place, and they do no harm as they are."""
_RUNS = {"run": {1, 4}, "resume": {1, 4}, "retry && resume": {1, 4}}
CODES = {**_RUNS, "check": {1, 2}, "doctor": {2, 3}, "git merge": {1}}
"""How else good advice may end: a run fails or pauses for its own reasons, a verdict is what was asked for, and git
merges where stretto has said that it will conflict."""


class Advice(Value, frozen=True, kw_only=True):
    """One command. `later`: it is said to work once something has been done."""

    command: str
    later: bool = False

    @property
    def verbs(self) -> str:
        """What it does, without about what: `retry && resume`, `git branch && land`."""
        parts = [shlex.split(part) for part in self.command.split(" && ")]
        return " && ".join({"stretto": part[1], "git": " ".join(part[:2])}.get(part[0], part[0]) for part in parts)


def advice(said: str) -> list[Advice]:
    """Each command once, in the order in which they were printed; a text in JSON counts as a line."""
    texts = map(json.loads, re.findall(r'"(?:[^"\\]|\\.)*"', said)) if said.startswith("{") else said.splitlines()
    found = list[Advice]()
    for line in (text.strip() for text in texts if not _TELLS.match(text.strip())):
        if alone := _ALONE.match(line):
            found.append(Advice(command=alone["command"], later=bool(re.search(r"\bonce\b", alone["words"] or ""))))
        else:
            found += [Advice(command=command) for command in _QUOTED.findall(line)]
    return [one for one in dict.fromkeys(found) if one.command not in FORMS]


class Adviser:
    """Makes stretto speak in a toy repository, and takes all of its advice, each piece from the same state."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        who = {f"GIT_{role}_{key}": "u" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        config = {"GIT_CONFIG_GLOBAL": str(toy.root / "gitconfig"), "HOME": str(toy.root)}
        toy.env |= {**who, **config, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        toy.env.pop("PYTHONDONTWRITEBYTECODE", None)  # a user has none, and does not wait for the compiler each time
        self._taken = set[str]()

    def hear(self, *words: str) -> str:
        """All that a command line says, whatever its end."""
        done = self.toy.stretto(*words, code=None)
        return done.stdout if done.stdout.startswith("{") else done.stdout + done.stderr

    def hear_at_terminal(self, *words: str) -> str:
        """The same on a terminal of 80 columns that cannot draw."""
        typed = shlex.quote(shlex.join(("stretto", *words)))
        return self.shell(f"TERM=dumb COLUMNS=80 script -qec {typed} /dev/null").stdout

    def take(self, *words: str, first: str = "") -> list[str]:
        """Provoke advice, and take all of it; what was advised, as verbs. Fails where a piece of it does not work.

        `first`: what a person does before they take advice that is for later."""
        found = advice(self.hear(*words))
        for one in found:
            assert first or not one.later, f"{one.command!r} is for later: say what is to be done first"
            if one.command not in self._taken:
                self._taken.add(one.command)
                self._run(one, first=first if one.later else "", after=shlex.join(words))
        return [one.verbs for one in found]

    @contextlib.contextmanager
    def apart(self) -> Iterator[Toy]:
        """What happens in here has not happened afterwards, and advice is taken anew."""
        kept = self.toy.root.with_name(f"{self.toy.root.name}-{len(list(self.toy.root.parent.iterdir()))}")
        taken, self._taken = self._taken, set()
        subprocess.run(["cp", "-a", self.toy.root, kept], check=True)
        try:
            yield self.toy
        finally:
            shutil.rmtree(self.toy.root)
            kept.rename(self.toy.root)
            self._taken = taken

    def shell(self, text: str, here: Path | None = None) -> subprocess.CompletedProcess[str]:
        """What a person would paste."""
        return subprocess.run(
            ["bash", "-c", text], cwd=here or self.toy.repository, env=self.toy.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        )  # fmt: skip

    def _run(self, one: Advice, *, first: str, after: str) -> None:
        left = set(_OPEN.findall(re.sub(r"'[^']*'", "", one.command))) - OWN_WORDS
        assert not left, f"{after!r} advises {one.command!r}, which leaves {left} open"
        with self.apart():
            done = self.shell(f"{first}\n{one.command}")
        allowed = {0} | CODES.get(one.verbs, set())
        told = f"{after!r} advises {one.command!r}, which ends with {done.returncode}:\n{done.stdout}"
        assert done.returncode in allowed and "Traceback" not in done.stdout, told
