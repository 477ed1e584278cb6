"""Names made from ids: safe in a ref, in a folder and on any file system (R6.5)."""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Collection

SLUG_LENGTH = 60


def slug(text: str) -> str:
    """Lower-case ASCII letters, digits and single dashes, 1 to 60 characters; different texts may share one."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].rstrip("-") or "x"


def task_dir(id: str) -> str:
    """`<slug>-<hash8>`: one name for each id, in refs and in folders of attempts."""
    return f"{slug(id)}-{hashlib.sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def meant(word: str, ids: Collection[str]) -> str:
    """The id that somebody may have meant: the only one that ends in that word, else one much like it; else empty."""
    ends = [id for id in ids if id.endswith((f".{word}", f"/{word}"))]
    close = ends if len(ends) == 1 else difflib.get_close_matches(word, list(ids), n=1)
    return close[0] if close else ""
