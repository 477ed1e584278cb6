"""How page specs are generated: profile, then `config/fis_generation.yaml`, then `FIS_*` variables, then flags."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from stretto.errors import ConfigError
from stretto.model.plan import Finding, Location, Value

FILE: Final = "config/fis_generation.yaml"
BACKOFF: Final = 2
"""The factor of the run's own backoff: 2 s, 4 s, 8 s and so on."""


class Choices(Value, frozen=True, kw_only=True):
    """What somebody has said; None: nobody has. Durations are in seconds."""

    parallel: int | None = None
    timeout_s: float | None = None
    attempts: int | None = None
    master_timeout_s: float | None = None
    total_timeout_s: float | None = None
    skip_existing: bool | None = None

    def over(self, below: Choices) -> Choices:
        """With what `below` says where this says nothing."""
        said = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return replace(below, **said)


PROFILES: Final[Mapping[str, Choices]] = {
    "local": Choices(parallel=3),
    "ci": Choices(parallel=10),
    "production": Choices(parallel=5),
}
MASTER_TIMEOUT_S: Final = 600.0


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def _seconds(value: Any) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 366 * 86400
    return float(value) if fits else None


def _yes(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_Reads = tuple[str, Callable[[Any], Any], str]
_KEYS: Final[Mapping[str, _Reads]] = {
    "fis.parallelization.max_concurrency": ("parallel", _count, "a whole number of at least 1"),
    "fis.parallelization.timeout_per_page": ("timeout_s", _seconds, "a number of seconds"),
    "fis.parallelization.retry_attempts": ("attempts", _count, "a whole number of at least 1"),
    "fis.parallelization.backoff_factor": ("", _seconds, "a number"),
    "fis.master_spec.timeout": ("master_timeout_s", _seconds, "a number of seconds"),
    "fis.page_spec.skip_existing": ("skip_existing", _yes, "true or false"),
}
_VARIABLES: Final[Mapping[str, _Reads]] = {
    "FIS_MAX_CONCURRENCY": _KEYS["fis.parallelization.max_concurrency"],
    "FIS_TIMEOUT_PER_PAGE": _KEYS["fis.parallelization.timeout_per_page"],
    "FIS_RETRY_ATTEMPTS": _KEYS["fis.parallelization.retry_attempts"],
}


def of_profile(name: str) -> Choices:
    """Raises ConfigError."""
    if name not in PROFILES:
        raise ConfigError(f"there is no profile {name!r} of page specs", hint=f"there are {', '.join(PROFILES)}")
    return PROFILES[name]


def of_environment(environ: Mapping[str, str]) -> Choices:
    """What the variables say; an empty one says nothing. Raises ConfigError."""
    said: dict[str, Any] = {}
    for name, (field, read, means) in _VARIABLES.items():
        if text := environ.get(name, "").strip():
            number = float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else None
            value = None if number is None else read(int(number) if number.is_integer() else number)
            if value is None:
                raise ConfigError(f"{name} must be {means}, not {text!r}", hint=f"change it, or: unset {name}")
            said[field] = value
    return Choices(**said)


def of_file(folder: Path) -> tuple[Choices, tuple[Finding, ...]]:
    """What the app's own file says, and what is wrong with it. No file says nothing. Raises ConfigError."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Choices(), ()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"cannot read {path}: {why}", hint="`ls -l` says who may; or take it away") from error
    said: dict[str, Any] = {}
    findings = []
    for key, value, location in _flat(text, path):
        if key not in _KEYS:
            close = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_KEYS)}"
            findings.append(_finding(f"{FILE}: nothing is called {key!r}", hint, location))
            continue
        field, read, means = _KEYS[key]
        if (found := read(value)) is None:
            raise ConfigError(f"{location.file}:{location.line}: {key} must be {means}, not {value!r}")
        if field:
            said[field] = found
        elif found != BACKOFF:
            told = f"{key} is {found:g}, and the waits between attempts grow by {BACKOFF} all the same: 2 s, 4 s, 8 s"
            findings.append(_finding(told, f"leave it out, or set it to {BACKOFF}", location))
    return Choices(**said), tuple(findings)


def _finding(message: str, hint: str, location: Location) -> Finding:
    return Finding(code="fis-setting", severity="warning", message=message, hint=hint, location=location)


def _flat(text: str, path: Path) -> Iterator[tuple[str, Any, Location]]:
    """(dotted key, value, place) of every value. Raises ConfigError."""
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        yield from _values(loader, root, "", path) if root is not None else ()
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply") from error


def _values(loader: Any, node: Any, key: str, path: Path) -> Iterator[tuple[str, Any, Location]]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _values(loader, value, f"{key}.{name.value}" if key else str(name.value), path)
    else:
        mark = node.start_mark
        place = Location(file=str(path), line=mark.line + 1, column=mark.column + 1)
        value = loader.construct_object(node, deep=True)
        if value is not None:  # a table with nothing in it
            yield key, value, place
