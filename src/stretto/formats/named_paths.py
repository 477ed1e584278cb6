"""The files that a sentence says will be written: a guess, made so that it rather claims too much than too little."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stretto.formats.auto_claude.reader import claimed

_CODE = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"(?<![\w`/@.:~<-])(?:\.{1,2}/|/)?[\w.][\w.@*+~{}\[\]<>()$-]*(?:/[\w.@*+~{}\[\]<>()$-]*)*")
_EXTENSION = re.compile(r"(?:^|[\w\])}>*-])\.([A-Za-z][A-Za-z0-9]{0,9})$")
_FILE_TYPE = re.compile(
    r"astro|bash|bat|bazel|bib|bicep|c|cc|cfg|cjs|clj|cmake|conf|cpp|cs|csproj|css|csv|cts|cue|cxx|dart"
    r"|dockerfile|env|ex|exs|feature|fish|fs|gd|gif|go|gql|gradle|graphql|groovy|h|hbs|hcl|heex|hpp|hrl|hs"
    r"|html|http|ico|ini|ipynb|java|jinja|jpg|jpeg|js|json|json5|jsonc|jsonl|jsx|kt|kts|less|lock|lua|m|md"
    r"|mdc|mdx|mjs|mk|ml|mli|mm|mmd|mod|mts|nix|odin|pdf|php|pl|plist|png|po|prisma|properties|proto|ps1"
    r"|py|pyi|r|rake|rb|rego|rs|rst|sass|sbt|scala|scss|service|sh|sln|snap|sol|sql|sum|svelte|svg|swift"
    r"|tcl|tex|tf|tfvars|toml|tpl|ts|tsx|txt|vb|vue|wasm|webp|xcconfig|xml|yaml|yml|zig|zsh",
    re.IGNORECASE,
)
_NUMBERED_FILE = re.compile(r"(?!(?:js|go)$)[a-z][a-z0-9]+")
"""The type of a file that is called by a number: `404.html`, and none of `2.m`, `1.Go there` and `Node 18.js`."""
_FILE = re.compile(
    r"Dockerfile|Makefile|Gemfile|Rakefile|Procfile|Jenkinsfile|Vagrantfile|Justfile|justfile"
    r"|\.gitignore|\.dockerignore|\.env|\.editorconfig|\.prettierrc|\.eslintrc|\.npmrc|\.nvmrc"
    r"|\.gitattributes"
)
_LIBRARY = re.compile(r"(?:Node|Next|Vue|Nuxt|Three|Express|React|Chart|Socket|Nest|Alpine|Ember|Discord|D3|p5)\.js")
_FOLDER = re.compile(
    r"src|lib|libs|app|apps|packages|pkg|cmd|internal|test|tests|spec|specs|docs|doc|backend|frontend"
    r"|server|client|api|web|www|ios|android|scripts|config|configs|migrations|db|public|static|assets"
    r"|examples|tools|bin|e2e|infra|deploy|terraform|charts|proto|schemas|components|pages|\.github"
    r"|\.vscode"
)
_ONLY_READ = re.compile(
    r"\b(?:from|per|see|against|via|using|following|follow|like|than|as in|according to|based on|defined in|"
    r"documented in|described in|specified in|mirroring|matching)\s+(?:the\s+|existing\s+)*[`(\[]*$",
    re.IGNORECASE,
)


def named_paths(text: str, top: str = "") -> Iterator[tuple[str, int, int]]:
    """Claims in order, each with where its path stands: offsets into the text.

    `top`: the name of the repository's folder, below which absolute paths are paths of the repository."""
    if "." not in text and "/" not in text and "file" not in text:
        return  # most texts, told apart quickly
    for raw, start in _candidates(text):
        path = raw
        if raw.startswith("/") and top:
            path = raw.partition(f"/{top}/")[2]
        claim = claimed(path) if _looks_like_a_path(path) else None
        if claim is not None and not _ONLY_READ.search(text, max(0, start - 60), start):
            yield claim, start, start + len(raw)


def _candidates(text: str) -> Iterator[tuple[str, int]]:
    """Words and pieces of code that may be paths, as they stand."""
    done = 0
    for code in _CODE.finditer(text):
        yield from _words(text, done, code.start())
        if " " not in code[1]:
            yield code[1], code.start(1)
        done = code.end()
    yield from _words(text, done, len(text))


def _words(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    for found in _WORD.finditer(text, start, end):
        word = found[0].rstrip(".,;:!?")
        if "." not in word and "/" not in word and not word.endswith("file"):
            continue  # most words, told apart quickly
        if "(" not in word:
            word = word.rstrip(").,;:!?")
        if text[max(0, found.start() - 1) : found.start()] == "*":
            word = word.rstrip("*")  # bold
        yield word, found.start()


def _looks_like_a_path(word: str) -> bool:
    """Files by their type; folders by a slash at the end, or by a name that folders of sources have."""
    first, slash, _ = word.removeprefix("./").partition("/")
    last = word.rpartition("/")[2]
    if word.startswith("@") or "//" in word or (not slash and word.endswith(")")):
        return False
    if _LIBRARY.fullmatch(word):
        return False
    if _FILE.fullmatch(last):
        return True
    if (found := _EXTENSION.search(last)) and _FILE_TYPE.fullmatch(found[1]):
        number = last[: found.start() + 1].replace(".", "").isdecimal()
        if not number or not slash:
            return not number or _NUMBERED_FILE.fullmatch(found[1]) is not None
        return any(letter.isalpha() for letter in word.rpartition("/")[0])  # and not `24/7.Go on`
    if not slash or not first:
        return False
    return (not last and len(word) > 2) or _FOLDER.fullmatch(first) is not None
