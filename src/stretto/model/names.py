"""Names made from ids: safe in a ref, in a folder and on any file system (R6.5)."""

from __future__ import annotations

import hashlib
import re
import unicodedata

SLUG_LENGTH = 60


def slug(text: str) -> str:
    """Lower-case ASCII letters, digits and single dashes, 1 to 60 characters; different texts may share one."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].rstrip("-") or "x"


def task_dir(id: str) -> str:
    """`<slug>-<hash8>`: one name for each id, in refs and in folders of attempts."""
    return f"{slug(id)}-{hashlib.sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
