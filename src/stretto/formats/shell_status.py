"""What the exit status of somebody else's shell command proves (R5.4).

Cautious by design: what it cannot read, and what could be green without proof, is named; the rest may be believed.
"""

from __future__ import annotations

import functools
import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence

from stretto.formats.shell import (
    Chain,
    Pipeline,
    Script,
    Simple,
    Unreadable,
    argv,
    bare,
    inner_script,
    parse,
    pipelines,
)
from stretto.model.plan import Value

_ALWAYS = {"echo", "printf", "true", ":", "export", "set", "unset", "pwd", "date", "sleep", "shopt", "alias", "trap"}
"""Commands that succeed whatever happened before."""
_PREPARES = _ALWAYS | {"cd", "pushd", "popd", "source", ".", "mkdir", "rm", "touch", "kill", "pkill", "wait", "nvm"}
"""Commands whose own failure says nothing about the work."""
_FILTERS = {"head", "tail", "cat", "tee", "sort", "uniq", "wc", "tr", "sed", "awk", "cut", "column", "nl", "less"}
"""Commands that succeed on whatever comes through a pipe."""
_FOLDER_OPTIONS = {"-C", "--prefix", "--cwd", "--directory"}
_HOME = re.compile(
    r"(?:^|(?<=[\s'\"=:(,]))(?:(?:~|\$HOME|\$\{HOME\})/|/(?:Users|home|Volumes|mnt)/[^\s'\"/]+/|/root/|[A-Za-z]:\\)"
    r"[^\s'\";|&)]*"
)

_BOTH = frozenset({True, False})
_GREEN = frozenset({True})
_RED = frozenset({False})


class Judgement(Value, frozen=True, kw_only=True):
    """Why a command's answer cannot be believed; both reasons are empty when it can."""

    masked: str = ""
    leaves: str = ""
    cut: bool = False
    """`head` may stop what writes to it; what it had not done by then is not proved."""


@functools.lru_cache(maxsize=1024)
def judge(command: str, expected: str | None) -> Judgement:
    """Judges a command that runs under `pipefail`, with its last output line compared to `expected` if there is one."""
    try:
        script = parse(command)
    except Unreadable as reason:
        return Judgement(masked=f"its exit status cannot be followed ({reason})", leaves=_home(command))
    leaves = _home(command) or next(_wanderings(script), "")
    unsettled = (x.why for x in _masks(script, pipefail=True) if not (expected and x.settled_by(expected)))
    return Judgement(masked=next(unsettled, ""), leaves=leaves, cut=any(map(_cuts, pipelines(script))))


class _Mask(Value, frozen=True, kw_only=True):
    why: str
    says: str | None = None
    """What is printed where a failure was swallowed, if that is known."""
    final: bool = True
    """The expected last line can tell; False when later output says nothing about what was lost."""

    def settled_by(self, expected: str) -> bool:
        return self.final and (self.says is None or (self.says.split() or [""])[-1] != expected)


def _outcomes(command: Simple | Script, *, piped: bool, pipefail: bool) -> frozenset[bool]:
    if isinstance(command, Script):
        chain, end = command.chains[-1]
        return _GREEN if end == "&" else _chain_outcomes(chain, pipefail)
    words = argv(command)
    if not words:
        return _BOTH if any("$(" in word or "`" in word for word in command.words) else _GREEN
    name = posixpath.basename(bare(words[0]))
    if name == "exit" or name == "return":
        code = words[1] if len(words) > 1 else "$?"
        return _BOTH if not code.isdecimal() else _GREEN if int(code) == 0 else _RED
    if name == "false":
        return _RED
    return _GREEN if name in _ALWAYS or (piped and name in _FILTERS) else _BOTH


def _pipeline_outcomes(pipeline: Pipeline, pipefail: bool) -> frozenset[bool]:
    found = [_outcomes(x, piped=i > 0, pipefail=pipefail) for i, x in enumerate(pipeline.commands)]
    if not pipefail:
        found = found[-1:]
    result = frozenset(
        color
        for color in (True, False)
        if (all(color in x for x in found) if color else any(color in x for x in found))
    )
    return frozenset(not color for color in result) if pipeline.negated else result


def _chain_outcomes(chain: Chain, pipefail: bool) -> frozenset[bool]:
    outcomes = _pipeline_outcomes(chain.first, pipefail)
    for op, pipeline in chain.rest:
        goes_on = op == "&&"
        if goes_on in outcomes:
            outcomes = (outcomes - {goes_on}) | _pipeline_outcomes(pipeline, pipefail)
    return outcomes


def _masks(script: Script, *, pipefail: bool) -> Iterator[_Mask]:
    """Every place where a failure is lost."""
    stops = any(
        argv(command)[:1] == ["set"] and any(re.match(r"-\w*e", word) for word in argv(command)[1:])
        for chain, _ in script.chains
        for command in chain.first.commands
        if isinstance(command, Simple)
    )
    last, end = script.chains[-1]
    for i, (chain, end_of_chain) in enumerate(script.chains[:-1]):
        if end_of_chain == "&" or _prepares(chain):
            continue
        if stops:
            yield from _chain_masks(chain, pipefail)
            continue
        told = i == len(script.chains) - 2 and "$?" in " ".join(_words_of(last))
        yield _Mask(why=f"the exit status of `{_start(chain)}` is lost behind `;`", final=told)
    if end == "&":
        yield _Mask(why="it ends in the background", final=False)
    yield from _chain_masks(last, pipefail)
    if False not in _chain_outcomes(last, pipefail) and not any(op == "||" for op, _ in last.rest):
        says = _said(last.rest[-1][1] if last.rest else last.first)
        told = says is None or "$?" in " ".join(_words_of(last))
        yield _Mask(why=f"it ends in `{_start(last)}`, which always succeeds", says=None if told else says)


def _chain_masks(chain: Chain, pipefail: bool) -> Iterator[_Mask]:
    yield from _pipeline_masks(chain.first, pipefail)
    so_far = _pipeline_outcomes(chain.first, pipefail)
    for op, pipeline in chain.rest:
        yield from _pipeline_masks(pipeline, pipefail)
        outcomes = _pipeline_outcomes(pipeline, pipefail)
        if op == "&&":
            so_far = so_far - {True} | (outcomes if True in so_far else set())
            continue
        after = so_far - {False} | (outcomes if False in so_far else set())
        if False in so_far and False not in after:
            name = (_words_of(Chain(first=pipeline)) or [""])[0]
            yield _Mask(why=f"`|| {name}` turns a failure into success", says=_said(pipeline))
        so_far = after


def _pipeline_masks(pipeline: Pipeline, pipefail: bool) -> Iterator[_Mask]:
    *before, last = pipeline.commands
    if before and not pipefail and False not in _outcomes(last, piped=True, pipefail=False):
        yield _Mask(why="a pipe hides the exit status of what writes to it")
    for command in pipeline.commands:
        if isinstance(command, Script):
            yield from _masks(command, pipefail=pipefail)
        elif inner := inner_script(command):
            try:
                yield from _masks(parse(inner), pipefail=any("pipefail" in word for word in command.words))
            except Unreadable as reason:
                yield _Mask(why=f"the exit status of its inner shell cannot be followed ({reason})")


def _prepares(chain: Chain) -> bool:
    return all(
        isinstance(command, Simple) and (not (words := argv(command)) or bare(words[0]) in _PREPARES)
        for pipeline in (chain.first, *(each for _, each in chain.rest))
        for command in pipeline.commands
    )


def _said(pipeline: Pipeline) -> str | None:
    """What an `echo` prints, if that is what the pipeline is and its text is plain."""
    command = pipeline.commands[-1]
    if isinstance(command, Script):
        chain, _ = command.chains[-1]
        return _said(chain.rest[-1][1] if chain.rest else chain.first)
    words = argv(command)
    if not words or words[0] not in ("echo", "printf") or any("$" in word or "`" in word for word in words):
        return None
    return bare(" ".join(words[1:]).replace("\\n", " ")).strip()


def _cuts(pipeline: Pipeline) -> bool:
    return (
        any(isinstance(command, Simple) and argv(command)[:1] == ["head"] for command in pipeline.commands[1:])
        and _outcomes(pipeline.commands[0], piped=False, pipefail=True) == _BOTH
    )


def _words_of(chain: Chain) -> list[str]:
    return [
        word
        for pipeline in (chain.first, *(each for _, each in chain.rest))
        for command in pipeline.commands
        if isinstance(command, Simple)
        for word in command.words
    ]


def _start(chain: Chain) -> str:
    return " ".join(_words_of(chain)[:3]) or "(…)"


# --- where it looks ----------------------------------------------------------------------------------------------


def _home(command: str) -> str:
    """A path in somebody's home or on a mounted disk; hidden folders there hold tools, not work."""
    for found in _HOME.finditer(command):
        if "/." not in found[0]:
            return f"it looks at `{found[0]}`, outside the workspace"
    return ""


def _wanderings(script: Script, at: str = "") -> Iterator[str]:
    """Every step out of the workspace, from the folder `at` in it."""
    for pipeline in _in_order(script):
        for command in pipeline.commands:
            if isinstance(command, Script):
                yield from _wanderings(command, at)
                continue
            words = [bare(word) for word in argv(command)]
            if words and words[0] in ("cd", "pushd"):
                target = _goes(at, words[1:])
                if target is None:
                    yield f"`{' '.join(command.words[:2])}` leaves the workspace, or may"
                else:
                    at = target
            for option, value in itertools.pairwise(words):
                if option in _FOLDER_OPTIONS and _goes(at, [value]) is None:
                    yield f"`{option} {value}` leaves the workspace, or may"
            if inner := inner_script(command):
                try:
                    yield from _wanderings(parse(inner), at)
                except Unreadable:
                    continue


def _in_order(script: Script) -> Iterator[Pipeline]:
    for chain, _ in script.chains:
        yield chain.first
        for _, pipeline in chain.rest:
            yield pipeline


def _goes(at: str, arguments: Sequence[str]) -> str | None:
    """The folder in the workspace that `cd` leads to; None when it is outside, or nobody can tell."""
    targets = [x for x in arguments if x in ("-", "") or not x.startswith("-")]
    if not targets or targets[0] in ("-", ""):
        return None
    target = " ".join(targets)
    if re.fullmatch(r"[$`]\(?git rev-parse --show-toplevel\)?`?", target):
        return ""
    if target.startswith(("/", "~")) or re.match(r"[A-Za-z]:", target) or "$" in target or "`" in target:
        return None
    path = posixpath.normpath(posixpath.join(at, targets[0]))
    return None if path == ".." or path.startswith("../") else "" if path == "." else path
