"""Which of the user's environment variables an agent or a gate gets to see: an allow-list."""

from __future__ import annotations

import re
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

_SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASS|PWD.|(?<!^)(?<!^OLD)PWD|CREDENTIAL|COOKIE|SESSION|PRIVATE|AUTH(?!OR(?!I))|BEARER|WEBHOOK"
    r"|CONNECTION_?STR|KUBECONFIG|NETRC|(?<![A-Z])(?:PAT|JWT|DSN|OTP|SAS)(?![A-Z])"
)
"""In capitals. Better a harmless variable too many than a secret: a check can set what it needs itself."""

_PROVIDERS = (
    "ANTHROPIC_", "AWS_", "AZURE_", "BEDROCK_", "BITBUCKET_", "CEREBRAS_", "CLAUDE_", "CLOUDFLARE_", "CLOUDSDK_",
    "CODEX_", "COHERE_", "DEEPSEEK_", "FIREWORKS_", "GCLOUD_", "GCP_", "GEMINI_", "GH_", "GITEA_", "GITHUB_",
    "GITLAB_", "GOOGLE_", "GROQ_", "HF_", "HUGGINGFACE_", "HUGGING_FACE_", "MISTRAL_", "NPM_CONFIG_", "OPENAI_",
    "OPENROUTER_", "PERPLEXITY_", "REPLICATE_", "SLACK_", "STRIPE_", "TOGETHER_", "TWILIO_", "TWINE_", "VAULT_",
    "VERCEL_", "VERTEX_", "XAI_",
)  # fmt: skip
"""Of those who sell models, hold code or keep accounts; what they call their secrets is theirs to change."""

_SECRET_URL = re.compile(
    r"(?<=[a-z0-9])://[^\s/?#@:]*:(?!\d*[/?#])[^\s]{1,2000}@"  # user:password@, but not :port/…@
    r"|https?://[^\s/?#@]+@"  # a token in the user's place
    r"|(?:^|[?&;\s])(?:[a-z_.-]*(?:password|passwd|pwd|token|secret|key)|sig|auth)=[^&;\s]",
    re.IGNORECASE,
)
"""Found in a value: a URL, or the words of a connection, that let somebody in."""


def surroundings(environ: Mapping[str, str], *, passed: Sequence[str] = (), gate: bool = False) -> dict[str, str]:
    """The part of `environ` that goes to an agent, or with `gate` to a gate: that gets nothing that may be a secret.

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
        and not is_withheld(name)
        and not (gate and is_secret(name, value))
    }


def is_withheld(name: str) -> bool:
    """Whether nobody may hand this variable on, or set it for an agent: it is stretto's own, or leads git away."""
    return name.startswith((RESERVED_PREFIX, "GIT_CONFIG")) or name in _REDIRECTS_GIT


def is_secret(name: str, value: str) -> bool:
    """Whether a variable may be a secret, by its name or its value: a guess, and a wide one."""
    capitals = name.upper()
    return bool(capitals.startswith(_PROVIDERS) or _SECRET.search(capitals) or _SECRET_URL.search(value))
