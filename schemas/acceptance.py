"""A quick yes to well-formed message data, made from the schemas themselves.

marshmallow's own validation of an assessment costs a third of a millisecond, most of a message's
way. So each schema is turned, once, into nested closures that say yes to the plain JSON that our
own relays send and know no other answer: whatever they do not say yes to is left to marshmallow,
whose word is final and whose errors are told.
"""

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields, missing, validate

Accepts = Callable[[Any], bool]
_HEX = frozenset("0123456789abcdef")


def accepting(schema: Schema) -> Accepts:
    """A check that is True only for data that `schema.validate` finds no fault with."""
    required: list[tuple[str, Accepts]] = []
    optional: list[tuple[str, Accepts]] = []
    for name, field in schema.fields.items():
        (required if field.required else optional).append((name, _nullable(field)))

    def accepts(data: Any) -> bool:
        if type(data) is not dict:
            return False
        for name, accept in required:
            if name not in data or not accept(data[name]):
                return False
        for name, accept in optional:
            value = data.get(name, missing)
            if value is not missing and not accept(value):
                return False
        return True

    return accepts


def _nullable(field: fields.Field[Any]) -> Accepts:
    accept = _limited(field)
    if not field.allow_none:
        return accept
    return lambda value: value is None or accept(value)


def _limited(field: fields.Field[Any]) -> Accepts:
    accept = _of_type(field)
    if not field.validators:
        return accept
    limits = [_limit(validator) for validator in field.validators]
    return lambda value: accept(value) and all(limit(value) for limit in limits)


def _limit(validator: Any) -> Accepts:
    if isinstance(validator, validate.OneOf):
        return frozenset(validator.choices).__contains__
    if isinstance(validator, validate.Regexp):
        pattern = validator.regex
        return lambda value: pattern.match(value) is not None
    return _never


def _of_type(field: fields.Field[Any]) -> Accepts:
    if isinstance(field, fields.Nested):
        return accepting(field.schema)
    if isinstance(field, fields.List):
        inner = _nullable(field.inner)
        return lambda value: type(value) is list and all(map(inner, value))
    for kind, accept in _PLAIN:
        if type(field) is kind:
            return accept
    return _never


def _never(_: Any) -> bool:
    return False


def _text(value: Any) -> bool:
    return type(value) is str


def _number(value: Any) -> bool:
    # NaN and infinities are no JSON; x - x is 0 for every other number.
    return type(value) is int or (type(value) is float and value - value == 0.0)


def _integer(value: Any) -> bool:
    return type(value) is int


def _flag(value: Any) -> bool:
    return type(value) is bool


def _mapping(value: Any) -> bool:
    return type(value) is dict


def _uuid(value: Any) -> bool:
    return type(value) is str and len(value) == 32 and _HEX.issuperset(value)


_PLAIN: tuple[tuple[type[Any], Accepts], ...] = (
    (fields.UUID, _uuid),
    (fields.String, _text),
    (fields.Integer, _integer),
    (fields.Float, _number),
    (fields.Boolean, _flag),
    (fields.Dict, _mapping),
)
