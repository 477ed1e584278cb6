"""The domains that phases are of: their categories, and the paths that their work is likely to touch."""

from __future__ import annotations

import re
from typing import Literal

from stretto.formats.reading import meant
from stretto.model.plan import Value

Category = Literal["infrastructure", "core", "ui", "integration", "quality", "other"]

TITLES: dict[Category, str] = {
    "infrastructure": "Infrastructure",
    "core": "Core of the app",
    "ui": "User interface",
    "integration": "Integration",
    "quality": "Quality",
    "other": "Other phases",
}


class Domain(Value, frozen=True, kw_only=True):
    """What is known of all phases of a kind."""

    category: Category
    paths: tuple[str, ...] = ()
    """Claims to guess. They are folders rather than files, for a guess of files is nearly always too narrow."""
    components: bool = False
    """Whether a feature is likely to be a component of its own."""


DOMAINS: dict[str, Domain] = {
    "setup": Domain(category="infrastructure", paths=("*", "src/*", "src/styles/**", "src/layouts/**", "public/**")),
    "database": Domain(category="infrastructure", paths=("prisma/**", "src/lib/db*", "src/lib/db/**")),
    "auth": Domain(
        category="infrastructure",
        paths=("src/auth/**", "src/components/auth/**", "src/hooks/useAuth*"),
        components=True,
    ),
    "devops": Domain(
        category="infrastructure",
        paths=(
            ".github/**",
            "Dockerfile*",
            "docker-compose*",
            ".dockerignore",
            ".env.example",
            "vercel.json",
            "deploy/**",
        ),
    ),
    "monitoring": Domain(
        category="infrastructure", paths=("src/monitoring/**", "src/lib/monitoring*", "src/lib/logger*")
    ),
    "core-entity": Domain(category="core", components=True),
    "feature": Domain(category="core", components=True),
    "search": Domain(category="core", paths=("src/search/**", "src/lib/search*"), components=True),
    "analytics": Domain(category="core", paths=("src/analytics/**", "src/lib/analytics*"), components=True),
    "admin": Domain(category="core", paths=("src/admin/**", "src/components/admin/**"), components=True),
    "ui-component": Domain(category="ui", components=True),
    "ui-role": Domain(category="ui", components=True),
    "offline": Domain(
        category="ui", paths=("src/offline/**", "src/lib/offline*", "public/sw*", "public/manifest*"), components=True
    ),
    # These go over what others have made, so any path would be too narrow.
    "i18n": Domain(category="ui"),
    "polish": Domain(category="ui"),
    "backend-validator": Domain(category="quality"),
    "testing": Domain(category="quality", paths=("tests/**", "e2e/**", "__tests__/**", "src/**/__tests__/**")),
    "integration": Domain(category="integration", paths=("src/integrations/**",), components=True),
    "real-time": Domain(
        category="integration", paths=("src/realtime/**", "src/lib/realtime*", "src/lib/socket*"), components=True
    ),
    "storage": Domain(category="integration", paths=("src/storage/**", "src/lib/storage*"), components=True),
    "notification": Domain(
        category="integration", paths=("src/notifications/**", "src/lib/notification*"), components=True
    ),
}
NONE = Domain(category="other")

_COMPONENT_WORDS = 5
"""A feature of more words is a sentence, and no name of a component."""


def domain_of(phase: dict[str, object]) -> str:
    """Its domain in the format's spelling; empty where it has none."""
    value = phase.get("domain")
    if isinstance(value, str) and value.strip():
        return re.sub(r"[\s_]+", "-", value.strip().casefold())
    return "setup" if phase.get("isLayoutInjection") is True else ""


def hint(word: str) -> str:
    """What an unknown domain may have been meant as."""
    return meant(word, DOMAINS) or f"known are: {', '.join(DOMAINS)}"


def likely_paths(domain: str, features: list[str]) -> list[str]:
    """Claims to guess for a phase that names no file; empty where nothing sensible can be said."""
    kind = DOMAINS.get(domain, NONE)
    paths = list(kind.paths)
    for feature in features if kind.components else ():
        words = re.findall(r"[A-Za-z0-9]+", feature)
        if not 0 < len(words) <= _COMPONENT_WORDS:
            continue
        paths.append(f"src/components/{'-'.join(words).casefold()}.tsx")
        if "form" in feature.casefold():
            paths.append(f"src/hooks/use{''.join(word[0].upper() + word[1:] for word in words)}.ts")
    return list(dict.fromkeys(paths))
