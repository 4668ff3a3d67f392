"""States, events and policies as JSON and back, so that the event log replays for as long as it exists.

Every value is an object with its class under "is"; field names are part of the format. A field added later needs a
default, and a class is never renamed: old logs must stay readable.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime, time
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from stafeta.core.policy import Choices, Policy
from stafeta.core.states import Event, State

Json = dict[str, Any]


def encode(value: State | Event | Policy | Choices) -> Json:
    """Return `value` as a JSON object; `decode_…` returns an equal value."""
    return cast(Json, _encode(value))


def decode_state(data: Json) -> State:
    """Return the state that `encode` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return cast(State, _decode(data, State))


def decode_event(data: Json) -> Event:
    """Return the event that `encode` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return cast(Event, _decode(data, Event))


def decode_policy(data: Json) -> Policy:
    """Return the policy that `encode` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return cast(Policy, _decode(data, Policy))


def decode_choices(data: Json) -> Choices:
    """Return the choices that `encode` wrote. Raises KeyError, TypeError, ValueError or PolicyError otherwise."""
    return cast(Choices, _decode(data, Choices))


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {"is": type(value).__name__} | {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, time)):
        return value.isoformat()
    if isinstance(value, frozenset):
        return [_encode(item) for item in sorted(value)]
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def _decode(data: Any, hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return _decode_one_of(data, get_args(hint))
    if get_origin(hint) in (tuple, frozenset):
        return get_origin(hint)(_decode(item, get_args(hint)[0]) for item in data)
    if is_dataclass(hint):
        return _decode_object(data, cast(type, hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if hint in (datetime, time):
        return hint.fromisoformat(data)
    if type(data) is not hint:
        raise TypeError(f"{data!r} is not of type {hint.__name__}")
    return data


def _decode_one_of(data: Any, options: tuple[Any, ...]) -> Any:
    """A union holds either objects that name their class, or one kind of value and None."""
    if data is None and type(None) in options:
        return None
    if isinstance(data, dict):
        return _decode(data, {option.__name__: option for option in options}[data["is"]])
    return _decode(data, next(option for option in options if option is not type(None)))


def _decode_object(data: Any, cls: type) -> Any:
    if not isinstance(data, dict) or data["is"] != cls.__name__:
        raise TypeError(f"{data!r} is not a {cls.__name__}")
    hints = _hints(cls)
    return cls(**{name: _decode(item, hints[name]) for name, item in data.items() if name != "is"})


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
