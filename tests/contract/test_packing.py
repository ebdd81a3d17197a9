"""States are packed, and what was stored before they were, or in another way, is still told."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.eventlog import Damaged
from services.chassis.lexicon import LEXICON_1
from services.chassis.packing import LEAST, pack, unpack
from services.chassis.store import Store
from tests.contract.sample import Noted, noted

LONG = "nothing, and then nothing again; " * 40


def stored(store: Store, event: Noted, plain: bytes) -> Any:
    """Put a state of these bytes in the log as if that version of the code had written it."""
    log = store.log()
    stream, version = event.originator_id, event.originator_version
    context = stream.bytes + version.to_bytes(8, "big") + event.TOPIC.encode()
    sealed = store.vault.seal(event.owner, plain, context)
    log._recorder.insert_events([StoredEvent(stream, version, event.TOPIC, sealed)])
    return log.read(stream)[0]


def as_json(event: Noted) -> bytes:
    apart = ("originator_id", "originator_version", "owner")
    return orjson.dumps({name: told for name, told in vars(event).items() if name not in apart})


@pytest.mark.parametrize("text", ["short", LONG])
def test_states_from_before_they_were_packed_are_read(store: Store, text: str) -> None:
    event = noted(text)
    assert stored(store, event, as_json(event)) == event


def test_a_long_state_takes_less_than_its_json(store: Store) -> None:
    log, event = store.log(), noted(LONG)
    log.append([event])
    (row,) = log._recorder.select_events(event.originator_id)
    assert len(row.state) < len(as_json(event)) / 4
    assert log.read(event.originator_id) == [event]


@pytest.mark.parametrize(
    "hurt",
    [
        lambda packed: b"\x02" + packed[1:],
        lambda packed: packed[:-3],
        lambda packed: b"\x01 no deflate",
        lambda packed: b"",
    ],
    ids=["unknown way", "cut off", "not packed", "nothing"],
)
def test_what_cannot_be_unpacked_is_damaged(store: Store, hurt: Any) -> None:
    event = noted(LONG)
    assert isinstance(stored(store, event, hurt(pack(as_json(event)))), Damaged)


@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False), max_size=40))
def test_what_is_unpacked_is_what_was_packed(told: dict[str, Any]) -> None:
    plain = orjson.dumps(told)
    packed = pack(plain)
    assert unpack(packed) == plain
    assert (packed == plain) == (len(plain) < LEAST)


def test_the_lexicon_is_the_one_that_packed_what_is_stored() -> None:
    """It must never change: add a second one, and a second way to pack, instead."""
    assert (
        sha256(LEXICON_1).hexdigest()
        == "10f17f3c6976c9c2401aa645e5c10711155277fe4cef41a71ee0e6cc3ba8cbe7"
    )
    old = bytes.fromhex(
        "01431eab4069a795e7816b3103fc0054c2818a4a70462fc90016c7909a1e58bbe7815ae620110570785ac3b8a30a46038a94f4a0540b00"
    )
    assert unpack(old) == PINNED


PINNED = orjson.dumps({"channel": "good_news", "owner": UUID(int=7).hex, "text": LONG[:600]})
