"""Between what records carry and its JSON form.

A field that is empty is left out of the body; a field that this version does not know stays in the record it came in.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .kinds import KINDS, Body

B = TypeVar("B", bound=Body)


def encode(body: Body) -> dict[str, object]:
    """The JSON form of a body: `kind` and the fields that differ from their defaults."""
    return {"kind": body.KIND, **_fields(body)}


def _fields(value: object) -> dict[str, object]:
    out: dict[str, object] = {}
    kind: Any = type(value)
    for name, default in _defaults(kind):
        given = getattr(value, name)
        if given != default:
            out[name] = given if type(given) in _LEAVES else _plain(given)
    return out


@cache
def _defaults(cls: type[Any]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in dataclasses.fields(cls))


#: What is its own JSON form; of such is most of what an answer leaves: hundreds of names and numbers.
_LEAVES = frozenset({str, int, bool})


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [each if type(each) in _LEAVES else _plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return value


def decode(cls: type[B], body: Mapping[str, object]) -> B:
    """A body from its JSON form. Unknown fields are passed over, and one of the wrong type takes its default:
    a record from outside is data, and must not stop the rest from loading.
    """
    built: B = _build(cls, body)
    return built


def decode_any(body: Mapping[str, object]) -> Body | None:
    """The body by its own `kind`; None for a kind that this version does not know."""
    kind = body.get("kind")
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    return decode(cls, body) if cls else None


def _build(cls: type[Any], given: Mapping[str, object]) -> Any:
    values = {}
    for name, fit in _fits(cls):
        if name in given:
            fits, value = fit(given[name])
            if fits:
                values[name] = value
    return cls(**values)


_Fit = Callable[[Any], "tuple[bool, Any]"]
_known_fits: dict[type, tuple[tuple[str, _Fit], ...]] = {}


def _fits(cls: type[Any]) -> tuple[tuple[str, _Fit], ...]:
    known = _known_fits.get(cls)
    if known is None:
        hints = get_type_hints(cls, vars(sys.modules[cls.__module__]))
        known = tuple((field.name, _fit(hints[field.name])) for field in dataclasses.fields(cls))
        _known_fits[cls] = known
    return known


def _fit(hint: Any) -> _Fit:
    """What says whether a value is of the type `hint`, and its Python form; made once for each field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _fit(next(each for each in arguments if each is not type(None)))
        return lambda value: (True, None) if value is None else inner(value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _fit_many(_fit(arguments[0]))
    if origin is tuple:
        return _fit_each([_fit(each) for each in arguments])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        cls: type[Any] = hint
        return lambda value: (True, _build(cls, value)) if isinstance(value, Mapping) else (False, None)
    if hint is int:
        return lambda value: (isinstance(value, int) and not isinstance(value, bool), value)
    return lambda value: (isinstance(value, hint), value)


def _fit_many(one: _Fit) -> _Fit:
    def fit(value: Any) -> tuple[bool, Any]:
        if not isinstance(value, list):
            return False, None
        return True, tuple(item for fits, item in map(one, value) if fits)

    return fit


def _fit_each(each: Sequence[_Fit]) -> _Fit:
    def fit(value: Any) -> tuple[bool, Any]:
        if not isinstance(value, list) or len(value) != len(each):
            return False, None
        pairs = [one(item) for one, item in zip(each, value, strict=True)]
        return all(fits for fits, _ in pairs), tuple(item for _, item in pairs)

    return fit
