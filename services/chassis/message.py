"""The envelope of a message between services: CloudEvents 1.0 in structured JSON mode."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

PREFIX = "org.pivotpoint."


class BadMessageError(Exception):
    """The bytes are not an envelope of ours."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what happened to `key`, told by the event at `position` of the log `log_id`."""

    type: str
    version: int
    id: str
    key: UUID | None
    time: datetime
    log_id: str
    position: int
    data: dict[str, Any]


def message_id(stream: UUID, version: int, data: dict[str, Any]) -> str:
    """The id that the same event gives for ever: stream, version and a hash of the content."""
    content = sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return f"{stream.hex}.{version}.{content}"


def encode(message: Message) -> bytes:
    """The message as a CloudEvents 1.0 JSON document."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": message.id,
            "source": f"/logs/{message.log_id}",
            "type": PREFIX + message.type,
            "subject": message.key.hex if message.key else "",
            "time": message.time,
            "datacontenttype": "application/json",
            "dataversion": message.version,
            "position": message.position,
            "data": message.data,
        }
    )


def decode(raw: bytes) -> Message:
    """Read an envelope; the data stays unchecked (see `schemas.messages.check`).

    Raises:
        BadMessageError: the bytes are no CloudEvents document of ours.
    """
    try:
        document = orjson.loads(raw)
        if document["specversion"] != "1.0" or not document["type"].startswith(PREFIX):
            raise BadMessageError("not a CloudEvents 1.0 document of this product")
        return Message(
            type=document["type"].removeprefix(PREFIX),
            version=int(document["dataversion"]),
            id=str(document["id"]),
            key=UUID(document["subject"]) if document["subject"] else None,
            time=datetime.fromisoformat(document["time"]),
            log_id=document["source"].removeprefix("/logs/"),
            position=int(document["position"]),
            data=dict(document["data"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadMessageError("the envelope cannot be read") from error
