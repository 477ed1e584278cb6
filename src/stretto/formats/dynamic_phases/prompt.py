"""The prompt of a phase: the app, what there is of it already, and everything that the plan says of the phase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stretto.formats.auto_claude.prompt import plain, title

Values = Mapping[str, object]

_MAX_PART = 12_000
"""Characters of one part: contexts of conversations and layouts can be endless."""
_MAX_CODE = 60_000
"""Characters of the layout's files, which are to be put in place as they are."""
_BOOKKEEPING = frozenset(
    {
        *("number", "phaseNumber", "name", "title", "description", "domain", "features", "featureDetails", "status"),
        *("estimatedTokens", "estimatedTime", "dependencies", "dependencyNames", "testCriteria", "generatedCode"),
        *("completedAt", "startedAt", "createdAt", "updatedAt", "errors", "implementedFeatures", "builtSummary"),
        *("builtFiles", "relevantRoles", "isLayoutInjection", "conceptContext", "architectureContext", "plannedFiles"),
        *("id", "tokensUsed", "duration", "qualityReport", "layoutBuilderFiles"),
    }
)
_OF_CONCEPT = {
    "purpose": "Purpose",
    "targetUsers": "Who it is for",
    "appType": "Kind of app",
    "technical": "Technology",
    "uiPreferences": "Look",
    "layoutManifest": "Layout",
    "layoutDesign": "Layout",
    "roles": "Roles",
    "workflows": "Workflows",
    "workflowSpecs": "Workflows of this phase",
    "dataModels": "Data models",
    "featureSpecs": "More on the features of this phase",
    "technicalConstraints": "Constraints",
    "integrationPoints": "Services to integrate",
    "validationRules": "Rules for input",
    "uiPatterns": "Patterns of the interface",
    "conversationContext": "From the conversation that the plan was made in",
}
_NOT_OF_CONCEPT = {
    *("id", "name", "description", "coreFeatures", "features", "createdAt", "updatedAt", "status", "architectureSpec"),
    *("dualArchitectureResult",),
}
_OF_PLAN = {
    "accumulatedFeatures": "Features that are built",
    "accumulatedFiles": "Files that are there",
    "apiContracts": "Interfaces to keep",
    "establishedPatterns": "Patterns to follow",
    "sharedState": "Shared state",
}
_OF_FEATURES = ("id", "name", "description", "priority")
GUESSED = (
    "Files: the plan does not say which ones this phase writes. The paths that you are given are a guess; where the"
    " project is laid out in another way, its own way counts."
)


class App:
    """What every phase of a plan is told; put into words once."""

    def __init__(self, plan: Values) -> None:
        concept = plan.get("concept")
        self._concept = _named(concept if isinstance(concept, dict) else {})
        self._plan = plan
        heading = title(plan, "appName", "name", "title")
        about = plain(plan.get("appDescription") or plan.get("description"))
        self._head = [f"# {heading}" if heading else "", _clipped(about)]
        self._built = [_section(words, plan.get(key)) for key, words in _OF_PLAN.items()]
        self._built.append(_section("Done before", list(_summaries(plan))))
        self._spoken: dict[str, str] = {}
        """By domain, what was said of it."""

    def prompt(self, phase: Values, *, id: str, domain: str, guessed: bool) -> str:
        """Self-contained instructions. `guessed`: the claims of the task are no words of the plan."""
        parts = [*self._head, *self._around(phase, domain), *_own(phase, id)]
        parts += self._built
        parts += [_section("After this phase", phase.get("testCriteria")), GUESSED if guessed else ""]
        if phase.get("isLayoutInjection") is True:
            parts += _layout(phase.get("layoutBuilderFiles") or self._plan.get("layoutBuilderFiles"))
        return "\n\n".join([part for part in parts if part and not part.isspace()]) + "\n"

    def _around(self, phase: Values, domain: str) -> Iterator[str]:
        context = phase.get("conceptContext")
        yield from (self._concept | _named(context if isinstance(context, dict) else {})).values()
        if domain not in self._spoken:
            self._spoken[domain] = self._said_of(domain)
        yield self._spoken[domain]

    def _said_of(self, domain: str) -> str:
        spoken = self._plan.get("phaseContexts")
        of_domain = spoken.get(domain) if isinstance(spoken, dict) else None
        if isinstance(of_domain, dict):
            left_out = ("phaseType", "tokenEstimate")
            of_domain = {_words(key): x for key, x in of_domain.items() if key not in left_out and x}
        return _section("From the conversation about this part", of_domain)


def feature_names(phase: Values) -> list[str]:
    """The names of its features, in the order of the file."""
    names = [_feature(each)[0] for each in _items(phase.get("features"))]
    names += [_feature(each)[0] for each in _items(phase.get("featureDetails"))]
    return list(dict.fromkeys(filter(None, names)))


def _own(phase: Values, id: str) -> Iterator[str]:
    name = title(phase, "name", "title")
    yield f"## Phase {id}" + (f": {name}" if name else "")
    yield plain(phase.get("description"))
    told: dict[str, str] = {}
    for each in (*_items(phase.get("features")), *_items(phase.get("featureDetails"))):
        feature, more = _feature(each)
        if feature:
            told[feature] = more or told.get(feature, "")
    yield _section("Build", [f"{feature}: {more}" if more else feature for feature, more in told.items()])
    yield _section("Who uses it", phase.get("relevantRoles"))
    yield from _architecture(phase.get("architectureContext"))
    yield _section("Files", phase.get("plannedFiles"))
    for key, value in phase.items():
        if key not in _BOOKKEEPING:
            yield _section(_words(key), value)
    yield _section("An earlier attempt ended with", phase.get("errors"))


def _architecture(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _section("Architecture", value)
        return
    schema = value.get("prismaSchema")
    if isinstance(schema, str) and schema.strip():
        yield f"Schema of the database, to be kept as it is:\n{_fenced('prisma', _clipped(schema))}"
    routes = [_line(each, ("method", "path"), " ") for each in _items(value.get("apiRoutes"))]
    yield _section("Routes to build", routes)
    yield _section("Files to create", [_line(each, ("path",), "") for each in _items(value.get("files"))])
    for key, more in value.items():
        if key not in ("prismaSchema", "apiRoutes", "files"):
            yield _section(_words(key), more)


def _layout(files: object) -> Iterator[str]:
    """Code that was made beforehand: it is put in place, and nothing is made up."""
    parts, left_out, room = [], [], _MAX_CODE
    for each in _items(files):
        path, content = (
            (each.get("path"), each.get("content", each.get("code"))) if isinstance(each, dict) else ("", "")
        )
        if not isinstance(path, str) or not isinstance(content, str):
            continue
        room -= len(content)
        if room < 0:
            left_out.append(path)
        else:
            parts.append(f"{path}\n{_fenced('', content)}")
    if parts or left_out:
        yield "The code of the layout is made already. Put these files in place as they are:"
        yield from parts
        yield _section("Further ones are in the plan, under `layoutBuilderFiles`", left_out)


def _summaries(plan: Values) -> Iterator[str]:
    """What earlier phases say they have built."""
    for phase in _items(plan.get("phases")):
        if isinstance(phase, dict) and (summary := plain(phase.get("builtSummary"))):
            name = title(phase, "name", "title")
            yield f"{name}: {summary}" if name else summary


def _feature(value: object) -> tuple[str, str]:
    """The name of a feature, and what else is said of it."""
    if not isinstance(value, dict):
        return (" ".join(value.split()), "") if isinstance(value, str) else ("", "")
    inner = value.get("originalFeature")
    own: Values = inner if isinstance(inner, dict) else value
    name = title(own, "name", "title") or title(value, "suggestedPhaseName", "name")
    more = [plain(own.get("description"))]
    if own is inner:
        more += [f"{_words(key)}: {plain(x)}" for key, x in own.items() if key not in _OF_FEATURES and plain(x)]
    return name, "\n".join(filter(None, more))


def _named(values: Values) -> dict[str, str]:
    """Parts of the concept in words, by key."""
    keys = [key for key in _OF_CONCEPT if key in values]
    keys += [key for key in values if key not in _OF_CONCEPT and key not in _NOT_OF_CONCEPT]
    return {key: _section(_OF_CONCEPT.get(key) or _words(key), values[key]) for key in keys}


def _line(value: object, keys: tuple[str, ...], between: str) -> str:
    if not isinstance(value, dict):
        return plain(value)
    head = between.join(filter(None, (plain(value.get(key)) for key in keys)))
    about = plain(value.get("description") or value.get("purpose"))
    return f"{head}: {about}" if about else head


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(key: str) -> str:
    """`dataFlow` as `Data flow`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", key).strip().lower()
    return text[:1].upper() + text[1:]


def _section(heading: str, value: object) -> str:
    if value is None:
        return ""
    text = _clipped(plain(value))
    if not text.strip():
        return ""
    return f"{heading}:\n{text}" if "\n" in text or isinstance(value, list | dict) else f"{heading}: {text}"


def _fenced(language: str, code: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    return f"{'`' * (longest + 1)}{language}\n{code}\n{'`' * (longest + 1)}"


def _clipped(text: str) -> str:
    return text if len(text) <= _MAX_PART else text[: _MAX_PART - 1] + "…"
