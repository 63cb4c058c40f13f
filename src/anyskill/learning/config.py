"""Settings: dataclasses that check themselves, and their way into and out of YAML."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from anyskill.learning.errors import LearningError

T = TypeVar("T")


def require(config: object, field: str, holds: bool, allowed: str) -> None:
    """For ``__post_init__``: complain unless a field's value is as it must be.

    Raises:
        LearningError: Names the field, its value and what is allowed.
    """
    if not holds:
        raise LearningError(f"{type(config).__name__}.{field} is {getattr(config, field)!r}; it must be {allowed}.")


def to_plain(value: Any) -> Any:
    """A dataclass as nested dictionaries, lists, strings and numbers: what YAML and JSON can hold."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: type[T], plain: Mapping[str, Any], where: str = "") -> T:
    """The dataclass that ``to_plain`` was given; fields that are missing take their defaults.

    Args:
        kind: The dataclass.
        plain: As read from a file.
        where: Where in the file this is, for messages; ends in a dot.

    Raises:
        LearningError: A field is unknown or missing, or its value has the wrong type.
    """
    hints = get_type_hints(kind)
    for name in plain:
        if name not in hints:
            raise LearningError(f"{where}{name} is not a setting; {kind.__name__} has {', '.join(hints)}.")
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in plain and field.default is MISSING and field.default_factory is MISSING:
            raise LearningError(f"{where}{field.name} is missing; {kind.__name__} cannot do without.")
    return kind(**{name: _revive(hints[name], value, f"{where}{name}") for name, value in plain.items()})


def _revive(hint: Any, value: Any, where: str) -> Any:
    """A plain value as its annotation says."""
    if get_origin(hint) in (Union, types.UnionType):
        if value is None:
            return None
        hint = next(option for option in get_args(hint) if option is not types.NoneType)
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_plain(hint, value, f"{where}.")
    try:
        if get_origin(hint) is tuple:
            return tuple(_revive(get_args(hint)[0], item, where) for item in value)
        if hint in (float, Path):  # YAML reads 2e-5 as a string, for want of a dot
            return hint(value)
    except (TypeError, ValueError):
        pass
    else:
        if not isinstance(hint, type) or isinstance(value, hint):
            return value
    raise LearningError(f"{where} is {value!r}; it must be of type {getattr(hint, '__name__', hint)}.")
