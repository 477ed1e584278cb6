"""Which of the user's environment variables an agent or a gate gets to see: an allow-list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stretto.model.masking import masked
from stretto.model.secrets import is_secret_name

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

_PROVIDERS = (
    "ANTHROPIC_", "AWS_", "AZURE_", "BEDROCK_", "BITBUCKET_", "CEREBRAS_", "CLAUDE_", "CLOUDFLARE_", "CLOUDSDK_",
    "CODEX_", "COHERE_", "DEEPSEEK_", "FIREWORKS_", "GCLOUD_", "GCP_", "GEMINI_", "GH_", "GITEA_", "GITHUB_",
    "GITLAB_", "GOOGLE_", "GROQ_", "HF_", "HUGGINGFACE_", "HUGGING_FACE_", "MISTRAL_", "NPM_CONFIG_", "OPENAI_",
    "OPENROUTER_", "PERPLEXITY_", "REPLICATE_", "SLACK_", "STRIPE_", "TOGETHER_", "TWILIO_", "TWINE_", "VAULT_",
    "VERCEL_", "VERTEX_", "XAI_",
)  # fmt: skip
"""Of those who sell models, hold code or keep accounts; what they call their secrets is theirs to change."""


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
    return name.upper().startswith(_PROVIDERS) or is_secret_name(name) or masked(value) != value
