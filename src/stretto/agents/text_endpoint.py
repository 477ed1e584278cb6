"""What the text agent can work with as a URL, a key and a model; what it says of them repeats nothing of them.

Only the standard library: it runs in the text agent's own process, too.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def trouble_with_url(url: str) -> str:
    """Why it cannot be an endpoint; empty where it can. Passwords belong to no URL: it is written to every log."""
    if not url.startswith(("http://", "https://")):
        return "is no URL: it does not begin with http:// or https://"
    if not (url.isascii() and url.isprintable() and " " not in url):
        return "is no URL: it has a character that no URL may have"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        return "is no URL: its host or its port cannot be read"
    if "@" in parts.netloc:
        return "has a user name or a password in its URL"
    if parts.query or parts.fragment:
        return "has a query or a fragment in its URL"
    return ""


def trouble_with_key(key: str) -> str:
    """Why it cannot be sent; empty where it can."""
    if all(character.isprintable() and ord(character) < 256 for character in key):
        return ""
    return "has a character that cannot be sent (a line break, or a quotation mark of a text program?)"


def trouble_with_model(model: str) -> str:
    """Why it names no model; empty where it may."""
    return "" if model.isprintable() else "has a character that is no text"
