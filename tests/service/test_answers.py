"""Answers from clinicians arriving at outcomes: once, in order, and never stopping the line."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas import topics
from services.chassis.clock import SteppedClock
from services.chassis.ids import fresh_id
from services.chassis.message import Message, encode, message_id
from services.chassis.transport import Delivery
from services.outcomes import settings
from services.outcomes.consumer import READER, AnswersConsumer
from services.outcomes.core import episode
from services.outcomes.core.telling import Announcement
from services.outcomes.wiring import Outcomes

NOW = datetime(2026, 3, 30, 9, 0, tzinfo=UTC)
SENDER, REFERENCE = "clinic-ehr", "E-1"


@pytest.fixture
def outcomes(tmp_path: Path) -> Iterator[Outcomes]:
    """The service over an empty folder, nothing of it running."""
    service = Outcomes.open(settings.of_folder(tmp_path), SteppedClock(NOW))
    yield service
    service.stop()


def announce(outcomes: Outcomes, reference: str = REFERENCE) -> UUID:
    told = Announcement(client="K-1", clinician="lind", opened_on="2026-01-05")
    outcomes.record.episodes.tell(SENDER, reference, told)
    return outcomes.record.episodes.id_of(SENDER, reference)


def pivot(episode_id: UUID, **more: Any) -> dict[str, Any]:
    reflection = fresh_id().hex
    told = {
        "episode": episode_id.hex,
        "approach_id": reflection,
        "approach": "Behavioural activation",
        "since": "2026-03-03",
        "origin": "reflection",
        "reflection": reflection,
        "review_on": "2026-05-01",
    }
    return told | more


def delivery(offset: int, episode_id: UUID, data: dict[str, Any], **more: Any) -> Delivery:
    message = Message(
        type="approach.chosen",
        version=1,
        id=message_id(episode_id, offset, data),
        key=episode_id,
        time=NOW,
        log_id="a" * 32,
        position=offset,
        data=data,
    )
    raw = encode(replace(message, **more))
    return Delivery(topics.ANSWERS, 0, offset, episode_id.hex, raw, "a" * 32)


def approaches(outcomes: Outcomes, episode_id: UUID) -> list[str]:
    state = episode.fold(outcomes.log.read(episode_id))
    assert state is not None
    return [one["approach"] for one in state.approaches.values()]


def test_a_pivot_arrives_once_however_often_it_is_sent(outcomes: Outcomes) -> None:
    here = announce(outcomes)
    told = pivot(here)
    outcomes.consumer.receive([delivery(7, here, told)])
    outcomes.consumer.receive([delivery(7, here, told), delivery(8, here, told)])
    assert approaches(outcomes, here) == ["Behavioural activation"]


def test_what_cannot_be_read_waits_with_what_comes_after_it(outcomes: Outcomes) -> None:
    """The first is of a future version: the second of its episode waits, another's does not."""
    here, there = announce(outcomes), announce(outcomes, "E-2")
    first, second = pivot(here), pivot(here, approach="EMDR")
    outcomes.consumer.receive(
        [
            delivery(1, here, first, version=9),
            delivery(2, here, second),
            delivery(3, there, pivot(there)),
        ]
    )
    assert approaches(outcomes, here) == []
    assert approaches(outcomes, there) == ["Behavioural activation"]
    assert [one.key for one in outcomes.store.parking.list()] == [here]


def test_a_replay_that_still_fails_keeps_everything(outcomes: Outcomes) -> None:
    here = announce(outcomes)
    outcomes.consumer.receive([delivery(1, here, pivot(here), version=9)])
    assert outcomes.store.parking.request_replay(READER, here)
    outcomes.consumer.idle()
    assert outcomes.store.parking.count(READER) == 1
    assert approaches(outcomes, here) == []


def test_what_was_set_aside_takes_effect_in_order_once_it_can(outcomes: Outcomes) -> None:
    """An answer for an episode that is unknown here yet, as after a restore, is not lost."""
    here = outcomes.record.episodes.id_of(SENDER, REFERENCE)
    outcomes.consumer.receive(
        [delivery(1, here, pivot(here)), delivery(2, here, pivot(here, approach="EMDR"))]
    )
    assert outcomes.store.parking.count(READER) == 1
    announce(outcomes)
    outcomes.store.parking.request_replay(READER, here)
    outcomes.consumer.idle()
    outcomes.consumer.idle()
    assert approaches(outcomes, here) == ["Behavioural activation", "EMDR"]
    assert outcomes.store.parking.count(READER) == 0


def test_bytes_that_are_no_message_stop_nothing(outcomes: Outcomes) -> None:
    here = announce(outcomes)
    broken = Delivery(topics.ANSWERS, 0, 1, "no id at all", b"\xff\x00", "a" * 32)
    outcomes.consumer.receive([broken, delivery(2, here, pivot(here))])
    assert approaches(outcomes, here) == ["Behavioural activation"]


def test_the_offset_is_stored_with_the_effect(outcomes: Outcomes) -> None:
    """A consumer made anew, as after a crash, stands where the last one's effects end."""
    here = announce(outcomes)
    outcomes.consumer.receive([delivery(5, here, pivot(here))])
    again = AnswersConsumer(
        outcomes.store.log(),
        outcomes.store.parking,
        outcomes.store.ids,
        SteppedClock(NOW),
        outcomes.store.service_owner,
    )
    head = outcomes.log.head()
    again.receive([delivery(5, here, pivot(here, approach="Exposure"))])
    assert outcomes.log.head() == head


def test_a_key_that_is_none_of_ours_does_not_stop_the_line(outcomes: Outcomes) -> None:
    here = announce(outcomes)
    strange = replace(delivery(1, here, pivot(here)), key="", raw=b"\xff not an envelope")
    outcomes.consumer.receive([strange, delivery(2, here, pivot(here))])
    assert approaches(outcomes, here) == ["Behavioural activation"]
    assert outcomes.store.parking.count(READER) == 1


def test_an_answer_about_an_erased_client_does_not_stop_the_line(outcomes: Outcomes) -> None:
    here, there = announce(outcomes), announce(outcomes, "E-2")
    told = Announcement(client="K-2", clinician="lind", opened_on="2026-01-05")
    outcomes.record.episodes.tell(SENDER, "E-3", told)
    gone = outcomes.record.episodes.id_of(SENDER, "E-3")
    outcomes.store.vault.shred(outcomes.log.read(gone)[0].owner)
    outcomes.consumer.receive(
        [
            delivery(1, here, pivot(here)),
            delivery(2, gone, pivot(gone)),
            delivery(3, there, pivot(there)),
        ]
    )
    assert approaches(outcomes, here) == approaches(outcomes, there) == ["Behavioural activation"]
