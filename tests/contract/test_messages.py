"""The contract between the services: samples kept for ever, and a quick check that never lies."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import messages
from schemas.acceptance import accepting
from services.chassis.message import PREFIX, BadMessageError, decode, encode

EXAMPLES = sorted((Path(messages.__file__).parent / "examples").glob("*.json"))
ODD: tuple[Any, ...] = (None, True, 3, -1.5, "", "x", "nan", float("nan"), float("inf"), [], {})


def _sample(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_every_type_and_version_has_a_sample() -> None:
    """What was once sent can be read for ever: a sample of each version stays."""
    there = {path.name for path in EXAMPLES}
    wanted = {
        f"{name}.v{version}.json"
        for name, schema in messages.TYPES.items()
        for version in range(1, schema.VERSION + 1)  # type: ignore[attr-defined]
    }
    assert there == wanted


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_samples_are_read_and_written_unchanged(path: Path) -> None:
    """Envelope and data go through both sides without loss."""
    message = decode(path.read_bytes())
    messages.check(message.type, message.version, message.data)
    assert decode(encode(message)) == message
    assert json.loads(encode(message)) == _sample(path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_newer_version_is_refused_and_a_new_field_is_not(path: Path) -> None:
    """An old reader passes over what it does not know, and says so of what it cannot know."""
    message = decode(path.read_bytes())
    messages.check(message.type, message.version, {**message.data, "from_the_future": 1})
    with pytest.raises(messages.UnknownMessageError):
        messages.check(message.type, message.version + 1, message.data)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_quick_check_knows_the_samples(path: Path) -> None:
    """What our own relays send takes the quick way."""
    message = decode(path.read_bytes())
    assert accepting(messages.TYPES[message.type]())(message.data)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_quick_check_is_never_more_lenient(path: Path) -> None:
    """Whatever one thing is changed or taken away: a quick yes is marshmallow's yes too."""
    message = decode(path.read_bytes())
    schema = messages.TYPES[message.type]()
    quick = accepting(schema)
    refused = 0
    for changed in _changed(message.data):
        faults = schema.validate(changed)
        refused += bool(faults)
        assert not (quick(changed) and faults), faults
    assert refused > 3  # the changes do reach what is checked


def _changed(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The data with one value at any depth replaced by something odd, or gone."""
    for place in _places(data):
        for odd in ODD:
            yield _with(data, place, lambda owner, key, odd=odd: owner.__setitem__(key, odd))
        yield _with(data, place, lambda owner, key: owner.__delitem__(key))


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for key, inner in pairs:
        yield (*before, key)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*before, key))


def _with(data: dict[str, Any], place: tuple[Any, ...], change: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    owner: Any = changed
    for step in place[:-1]:
        owner = owner[step]
    change(owner, place[-1])
    return changed


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"specversion":"1.0"}'],
    ids=["empty", "no fields", "a list", "null", "no text", "half"],
)
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    """Bytes of another kind raise one error of ours."""
    with pytest.raises(BadMessageError):
        decode(raw)


def test_a_foreign_event_is_refused() -> None:
    """A CloudEvents document of somebody else is not ours."""
    document = _sample(EXAMPLES[0])
    document["type"] = "com.example.other"
    with pytest.raises(BadMessageError):
        decode(json.dumps(document).encode())
    assert _sample(EXAMPLES[0])["type"].startswith(PREFIX)
