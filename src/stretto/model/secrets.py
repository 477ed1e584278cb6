"""What counts as a secret: the one list of names, and shapes that are known with no name beside them."""

from __future__ import annotations

import re

HIDDEN = "…"
"""Stands where a value was."""
_NAMES = re.compile(
    r"(?<!MON)(?<!TUR)(?<!DON)(?<!HOT)(?<!HOC)(?<!JOC)(?<!WHIS)(?<!MIC)KEY(?!BOARD|WORD|MAP|FRAME|NOTE|CODE|STROKE|PAD|CLOAK)"
    r"|(?<!MAX_)(?<!MIN_)(?<!NUM_)(?<!INPUT_)(?<!OUTPUT_)(?<!THINKING_)(?<!CONTEXT_)(?<!PROMPT_)(?<!NEW_)TOKEN(?!I[ZS])"
    r"|(?<!BY)(?<!COM)(?<!TRES)PASS(?!_?THR|ENGER|IVE|ED(?![A-Z])|ES(?![A-Z])|ING(?![A-Z])|AGE)"
    r"|PWD|SECRET|CREDENTIAL|COOKIE|SESSION|PRIVATE|AUTH(?!OR(?!I))|BEARER|WEBHOOK"
    r"|CONNECTION_?STR|KUBECONFIG|NETRC|(?<![A-Z])(?:PAT|JWT|DSN|OTP|SAS)(?![A-Z])"
)
"""In capitals and with `_` for `-`. Better a harmless name too many than a secret."""
_MEASURES = re.compile(r"_(?:LIMIT|COUNT|LENGTH|SIZE|TIMEOUT|TTL)S?$")
"""Ends of names that hold a number about secrets."""
_FOLDERS = frozenset({"PWD", "OLDPWD"})
"""Where a shell is, and was."""
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"\b((?:sk|rk|pk)-[A-Za-z]{0,8}-?)[\w-]{8,}",  # of those who sell models
        r"\b((?:sk|rk|pk|whsec)_(?:live_|test_)?)(?=\w*\d)[A-Za-z0-9]{16,}",  # Stripe
        r"\b(gh[pousr]_)[A-Za-z0-9]{8,}",
        r"\b(github_pat_)\w{8,}",
        r"\b(glpat-)[\w-]{8,}",
        r"\b(A(?:KIA|SIA))[A-Z0-9]{12,}",
        r"\b(AIza)[\w-]{30,}",
        r"\b(xox[a-z]-)[\w-]{8,}",
        r"\b(npm_|hf_)[A-Za-z0-9]{30,}",
        r"(?<![\w-])(eyJ)[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?",  # a JSON web token
        r"(hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/)[\w/+=-]+",
        r"(discord(?:app)?\.com/api/webhooks/)[\w/-]+",
    )
)
"""What a key begins with stays, so that it can be told which one it is."""
_FLAG = r"(?<![\w-])(?:-[uU]|--(?:proxy-)?user)(?:\s+|=)?"
_LOGINS = (
    re.compile(rf"({_FLAG}\"[^\":]+:)(?!//)[^\"]+"),
    re.compile(rf"({_FLAG}'[^':]+:)(?!//)[^']+"),
    re.compile(rf"({_FLAG}(?!\d+:\d)[^\s:'\"]+:)(?!//)[^\s'\"]+"),
)
"""`-u user:password`, but not `-u 1000:1000`."""


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name (of a variable, an option, a header, a field) may be a secret: a wide guess."""
    capitals = name.strip("-").replace("-", "_").upper()
    if name in _FOLDERS or _MEASURES.search(capitals):
        return False
    return _NAMES.search(capitals) is not None


def concealed(text: str) -> str:
    """`text` without what only a secret looks like, whatever stands beside it: fit for prose."""
    for shape in (*_SHAPES, *_LOGINS):
        text = shape.sub(rf"\g<1>{HIDDEN}", text)
    return text


def is_login(flag: str, word: str) -> bool:
    """Whether `word`, the one behind `flag`, holds a password."""
    return any(shape.match(f"{flag} {word}") for shape in _LOGINS)
