"""Which of the user's environment variables an agent or a gate gets to see: an allow-list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ALWAYS = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_*", "TZ", "TERM", "TMPDIR")

RESERVED_PREFIX = "STRETTO_"
"""Ours to set: never taken over from outside, so an attempt cannot be mistaken for the one that surrounds it."""

_REDIRECTS_GIT = frozenset(
    "GIT_" + name
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES", "CEILING_DIRECTORIES", "COMMON_DIR", "DIR", "GRAFT_FILE", "IMPLICIT_WORK_TREE",
        "INDEX_FILE", "NAMESPACE", "NO_REPLACE_OBJECTS", "OBJECT_DIRECTORY", "PREFIX", "REPLACE_REF_BASE",
        "SHALLOW_FILE", "WORK_TREE",
    )
)  # fmt: skip
"""With one of these, git in a workspace would act on another repository or index (`git rev-parse --local-env-vars`)."""

_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")


def surroundings(environ: Mapping[str, str], *, passed: Sequence[str] = (), gate: bool = False) -> dict[str, str]:
    """The part of `environ` that goes to an agent, or with `gate` to a gate, which never sees a secret.

    `passed` is the setting `env.pass`: exact names, or beginnings that end in `*`. The caller adds the STRETTO_*
    variables of the attempt.
    """
    wanted = (*ALWAYS, *passed)
    names = frozenset(wanted)
    beginnings = tuple(name[:-1] for name in wanted if name.endswith("*"))
    return {
        name: value
        for name, value in environ.items()
        if (name in names or name.startswith(beginnings))
        and not name.startswith((RESERVED_PREFIX, "GIT_CONFIG"))
        and name not in _REDIRECTS_GIT
        and not (gate and _is_secret(name))
    }


def _is_secret(name: str) -> bool:
    return any(word in name.upper() for word in _SECRET)
