"""YAML and TOML files as sections that know their place, so that every error can name the key."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from pyrocrl.errors import ConfigError, listing

__all__ = ["Section", "read_config_file"]


def read_config_file(path: str | Path, allowed: Sequence[str]) -> Section:
    """Read a YAML (`.yaml`, `.yml`) or TOML (`.toml`) file.

    Args:
        path: the file.
        allowed: the keys that may stand at its top.

    Returns:
        The top section.

    Raises:
        ConfigError: if the file is absent, of another kind, not well-formed, not a mapping, says a
            key twice, or has a key that is not allowed.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"there is no configuration file {path}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}") from error
    match path.suffix.lower():
        case ".yaml" | ".yml":
            values = _parse_yaml(text, path)
        case ".toml":
            values = _parse_toml(text, path)
        case other:
            raise ConfigError(f"{path}: a configuration is .yaml, .yml or .toml, not {other!r}")
    return Section(values, allowed, source=path)


class Section:
    """One mapping of a configuration file; its getters check what they return.

    Args:
        values: what the file says; must be a mapping.
        allowed: the keys it may have; None: any text.
        source: the file.
        place: keys that lead here, `modalities.labs`; empty at the top.

    Raises:
        ConfigError: if `values` is not a mapping or has a key that is not allowed.

    Example:
        >>> section = Section({"seed": 3}, ["seed", "rope"], source=Path("run.yaml"))
        >>> section.integer("seed", minimum=0), section.number("rope", minimum=0)
        (3, None)
    """

    def __init__(
        self, values: object, allowed: Sequence[str] | None, *, source: Path, place: str = ""
    ) -> None:
        self.source = source
        self._place = place
        if not isinstance(values, Mapping):
            raise self.error(None, f"must be keys with values, not {_shown(values)}")
        for key in values:
            if not isinstance(key, str):
                raise self.error(None, f"key {key!r} must be text; put it in quotes")
            if allowed is not None and key not in allowed:
                raise self.error(None, f"unknown key {key!r}{_nearest(key, allowed)}")
        # An empty value, as in `seed:`, says nothing.
        self._values: dict[str, Any] = {k: v for k, v in values.items() if v is not None}

    def error(self, key: str | None, message: str) -> ConfigError:
        """The error to raise about `key`, or about the whole section."""
        return ConfigError(f"{self.where(key)}: {message}")

    def where(self, key: str | None) -> str:
        """The file and the keys that lead to `key`, or to the section itself."""
        keys = ".".join(part for part in (self._place, key) if part)
        return f"{self.source}: {keys}" if keys else str(self.source)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def raw(self, key: str) -> Any:
        """The value as the file says it; None if absent."""
        return self._values.get(key)

    def section(self, key: str, allowed: Sequence[str] | None = None) -> Section | None:
        """The mapping under `key`; None if absent."""
        if key not in self:
            return None
        place = f"{self._place}.{key}" if self._place else key
        return Section(self.raw(key), allowed, source=self.source, place=place)

    @overload
    def text(self, key: str) -> str | None: ...
    @overload
    def text(self, key: str, default: str) -> str: ...
    def text(self, key: str, default: str | None = None) -> str | None:
        """Non-empty text."""
        value = self._values.get(key, default)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise self.error(key, f"must be text, not {_shown(value)}")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of a few words; without a default the key must be there."""
        value = self._values.get(key, default)
        if value not in allowed:
            raise self.error(key, f"must be one of {listing(allowed, 20)}, not {_shown(value)}")
        return str(value)

    @overload
    def integer(self, key: str, *, minimum: int) -> int | None: ...
    @overload
    def integer(self, key: str, *, minimum: int, default: int) -> int: ...
    def integer(self, key: str, *, minimum: int, default: int | None = None) -> int | None:
        """A whole number of at least `minimum`."""
        value = self._values.get(key, default)
        if value is None:
            return None
        # bool is an int in Python, but `restarts: true` is a mistake.
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise self.error(
                key, f"must be a whole number of at least {minimum}, not {_shown(value)}"
            )
        return value

    @overload
    def number(self, key: str, *, minimum: float) -> float | None: ...
    @overload
    def number(self, key: str, *, minimum: float, default: float) -> float: ...
    def number(self, key: str, *, minimum: float, default: float | None = None) -> float | None:
        """A finite number of at least `minimum`."""
        value = self._values.get(key, default)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value < minimum:
            raise self.error(key, f"must be a number of at least {minimum:g}, not {_shown(value)}")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts, none of them twice; None if absent."""
        if key not in self:
            return None
        return self._texts(self.raw(key), key)

    def lists_of_texts(self, key: str, *, length: int | None = None) -> list[tuple[str, ...]]:
        """A list of lists of texts, each of `length` where one is given; empty if absent."""
        value = self._values.get(key, [])
        if not isinstance(value, list):
            raise self.error(key, f"must be a list of lists, not {_shown(value)}")
        lists = [self._texts(item, f"{key}[{i}]") for i, item in enumerate(value)]
        for i, item in enumerate(lists):
            if length is not None and len(item) != length:
                raise self.error(f"{key}[{i}]", f"must have {length} names, not {len(item)}")
        return lists

    def path(self, key: str) -> Path | None:
        """A path; a relative one starts at the folder of the configuration file. None if absent."""
        value = self.text(key)
        return None if value is None else self.source.parent / Path(value).expanduser()

    def existing_file(self, key: str) -> Path | None:
        """The path of a file that is there; None if absent from the configuration."""
        path = self.path(key)
        if path is not None and not path.is_file():
            raise self.error(key, f"there is no file {path}")
        return path

    def _texts(self, value: object, key: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise self.error(key, f"must be a list of names, not {_shown(value)}")
        for i, item in enumerate(value):
            if not (isinstance(item, str) and item.strip()):
                raise self.error(f"{key}[{i}]", f"must be text, not {_shown(item)}; use quotes")
        repeated = sorted({item for item in value if value.count(item) > 1})
        if repeated:
            raise self.error(key, f"names {listing(repeated)} twice")
        return tuple(value)


def _shown(value: object) -> str:
    match value:
        case str():
            return f"the text {value!r}"
        case dict():
            return "keys with values"
        case list():
            return "a list"
    return repr(value)


def _nearest(key: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{hint} Allowed: {', '.join(allowed)}"


def _parse_toml(text: str, path: Path) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not well-formed TOML: {error}") from error


def _parse_yaml(text: str, path: Path) -> object:
    import yaml

    class Loader(yaml.SafeLoader):
        """PyYAML keeps the last of two equal keys without a word; this one refuses them."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
            if repeated:
                line = node.start_mark.line + 1
                raise ConfigError(f"{path}: {listing(repeated)} twice in the block at line {line}")
            return super().construct_mapping(node, deep=deep)

    try:
        values = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" (line {place.line + 1})" if place is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{path} is not well-formed YAML{line}: {problem}") from error
    return {} if values is None else values
