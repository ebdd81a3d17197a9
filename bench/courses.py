"""Many made-up courses as the alerts service hears of them: real messages of one, told of many."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.intake import phq9
from services.chassis.clock import SystemClock
from services.chassis.message import Message, message_id
from services.chassis.transport.embedded import EmbeddedTransport
from services.chassis.turns import Turns
from services.outcomes import settings
from services.outcomes.formats import flat
from services.outcomes.wiring import Outcomes

SENDER = "bench"
CASELOAD = 60
"""Clients of one clinician; the first clinician signs in."""
WHOLE, WHOLE_OF_FIRST = 25, 5
"""Every so many courses one is told to its end, with what was found; of others the beginning."""
BEGINNING = 3
WEEKS = 8
_ID = re.compile(r"\b[0-9a-f]{32}\b")


class _Listening(EmbeddedTransport):
    """Keeps what is sent instead of handing it over."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, Message]] = []

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Keep a page."""
        self.heard += [(topic, message) for message in messages if message.key is not None]


def one_course(folder: Path, today: date) -> list[tuple[str, Message]]:
    """The messages about one client who gets worse, as the outcomes service sends them."""
    service = Outcomes.open(settings.of_folder(folder), SystemClock())
    listening = _Listening()
    try:
        service.start(listening, Turns())
        announced = {
            "client": "K-0",
            "clinician": "T-0",
            "opened_on": (today - timedelta(weeks=WEEKS)).isoformat(),
            "problem": "depression",
        }
        service.record.episodes.tell(SENDER, "E-0", flat.announcement(announced))
        for week, low in enumerate((1, 1, 1, 2, 2, 3, 3, 3)):
            items = [low, low, 1, low, 1, low, 2, low, 0]
            on = today - timedelta(weeks=WEEKS - week)
            body = phq9(f"w-{week}", 0, 0, items) | {"administered_at": on.isoformat()}
            service.record.measures.post(SENDER, flat.measure(body))
        while service.behind():
            time.sleep(0.02)
        # Relays run beside each other: in the order of the log every run tells the same.
        return sorted(listening.heard, key=lambda one: one[1].position)
    finally:
        service.stop()


def many(told: Sequence[tuple[str, Message]], count: int) -> Iterator[tuple[str, Message]]:
    """The messages of `count` clients, in the order in which they would come."""
    template = [(topic, message, json.dumps(message.data)) for topic, message in told]
    # What time alone finds may come before the first measure, or not: a beginning has none of it.
    beginning = [one for one in template if not one[1].type.startswith("finding.")][:BEGINNING]
    clinicians = max(1, count // CASELOAD)
    position = 0
    for number in range(count):
        of_first = number % clinicians == 0 and number // clinicians % WHOLE_OF_FIRST == 0
        whole = of_first or number % WHOLE == 0
        for topic, message, text in template if whole else beginning:
            position += 1
            yield topic, _of(message, text, number, number % clinicians, position)


def _of(message: Message, text: str, number: int, clinician: int, position: int) -> Message:
    other = _ID.sub(lambda found: _id(found[0], number), text)
    data: dict[str, Any] = json.loads(other)
    for name, value in (
        ("client", f"K-{number}"),
        ("reference", f"E-{number}"),
        ("clinician", f"T-{clinician}"),
    ):
        if name in data:
            data[name] = value
    key = UUID(data["episode"])
    return Message(
        type=message.type,
        version=message.version,
        id=message_id(key, position, data),
        key=key,
        time=message.time,
        log_id=message.log_id,
        position=position,
        data=data,
    )


def _id(value: str, number: int) -> str:
    return sha256(f"{value}/{number}".encode()).hexdigest()[:32]
