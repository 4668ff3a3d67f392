"""States, events and policies as JSON and back, so that the event log replays for as long as it exists.

Every value is an object with its class under "is"; field names are part of the format. A field added later needs a
default, and a class is never renamed: old logs must stay readable.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime, time
from enum import Enum
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from stafeta.core.policy import Choices, Policy, Rung
from stafeta.core.states import Event, State

Json = dict[str, Any]

_KNOWN: dict[str, type] = {cls.__name__: cls for cls in (*get_args(State), *get_args(Event), Policy, Rung, Choices)}


def encode(value: State | Event | Policy | Choices) -> Json:
    """Return `value` as a JSON object; `decode` returns an equal value."""
    return cast(Json, _encode(value))


def decode_state(data: Json) -> State:
    """Return the state that `encode` wrote. Raises KeyError or TypeError for anything else."""
    return cast(State, _decode(data, State))


def decode_event(data: Json) -> Event:
    """Return the event that `encode` wrote. Raises KeyError or TypeError for anything else."""
    return cast(Event, _decode(data, Event))


def decode_policy(data: Json) -> Policy:
    """Return the policy that `encode` wrote. Raises KeyError or TypeError for anything else."""
    return cast(Policy, _decode(data, Policy))


def decode_choices(data: Json) -> Choices:
    """Return the choices that `encode` wrote. Raises KeyError, TypeError or PolicyError for anything else."""
    return cast(Choices, _decode(data, Choices))


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {"is": type(value).__name__} | {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, time)):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def _decode(data: Any, hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        options = get_args(hint)
        if data is None and type(None) in options:
            return None
        if isinstance(data, dict):
            return _decode(data, _KNOWN[data["is"]])
        return _decode(data, next(option for option in options if option is not type(None)))
    if get_origin(hint) in (tuple, frozenset):
        return get_origin(hint)(_decode(item, get_args(hint)[0]) for item in data)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return cast(type, hint)(**{name: _decode(item, hints[name]) for name, item in data.items() if name != "is"})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if hint in (datetime, time):
        return hint.fromisoformat(data)
    return data
