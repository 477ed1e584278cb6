"""The files that a sprint, or a part of it, is to write: those it lists, and those its deliverables name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.auto_claude.reader import claimed
from stretto.formats.cfn_epic.outline import Node, fold
from stretto.formats.named_paths import named_paths
from stretto.formats.syntax.source import Steps

_FILES = (
    *("files", "file", "filepaths", "filepath", "paths", "path", "affectedfiles", "outputfiles", "testfiles"),
    *("filestomodify", "filestocreate", "filestodelete", "newfiles", "modifiedfiles", "implementation"),
)
_NAMED = ("deliverables", "deliverable", "outputs", "artifacts", "test", "tests", "testfile")
_PATH_KEYS = ("path", "file", "filepath", "files", "location")
_TITLE_KEYS = ("name", "title", "deliverable", "artifact")
_MAX_DEPTH = 3

Claim = tuple[str, Steps]


def claims(node: Node) -> Iterator[Claim]:
    """Claims in order, each with where its path stands; one may come twice."""
    keys = node.keys
    for folded in _FILES:
        if folded in keys:
            yield from _listed(node.values[keys[folded]], (*node.steps, keys[folded]))
    for folded in _NAMED:
        if folded in keys:
            yield from _worded(node.values[keys[folded]], (*node.steps, keys[folded]))


def _listed(value: object, steps: Steps, depth: int = 0) -> Iterator[Claim]:
    """What should be paths: one, a list, lists by kind, or mappings that have one."""
    match value:
        case str():
            whole = claimed(value) if _is_path(value) else None
            if whole is not None:
                yield whole, steps
            else:
                yield from _worded(value, steps)
        case list() if depth < _MAX_DEPTH:
            for i, each in enumerate(value):
                yield from _listed(each, (*steps, i), depth + 1)
        case dict() if depth < _MAX_DEPTH:
            keys = [key for key in value if fold(key) in _PATH_KEYS] or list(value)
            for key in keys:
                yield from _listed(value[key], (*steps, key), depth + 1)


def _is_path(text: str) -> bool:
    """In a list of files one word is a path, whatever its type; with a remark behind it, too."""
    first, _, rest = text.strip().partition(" ")
    return bool(first) and (not rest or rest.lstrip().startswith(("(", "-", "–", "—", "#"))) and "://" not in first


def _worded(value: object, steps: Steps, depth: int = 0) -> Iterator[Claim]:
    """The paths in words such as deliverables are made of; of a mapping its path, else what its name names."""
    match value:
        case str():
            for claim, _, _ in named_paths(re.sub(r"(?<!\s)\s+\([^()]*\)\s*$", "", value)):
                yield claim, steps
        case list() if depth < _MAX_DEPTH:
            for i, each in enumerate(value):
                yield from _worded(each, (*steps, i), depth + 1)
        case dict() if depth < _MAX_DEPTH:
            paths = [key for key in value if fold(key) in _PATH_KEYS and value[key]]
            for key in paths:
                yield from _listed(value[key], (*steps, key), depth + 1)
            for key in value if not paths else ():
                if fold(key) in _TITLE_KEYS:
                    yield from _worded(value[key], (*steps, key), depth + 1)
