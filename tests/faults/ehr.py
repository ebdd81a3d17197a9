"""The sending system: it repeats a call until it is answered, and writes down what was answered."""

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

ANSWERED_WITHIN = 180.0
"""Seconds for which a call is repeated: longer than a kill and the start after it."""
NDJSON = "application/x-ndjson"


class UnansweredError(Exception):
    """A call was repeated and repeated; the text names method and route."""


@dataclass(frozen=True, slots=True)
class Told:
    """One call that was answered; a line of a batch is a call of its own."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any

    @property
    def taken(self) -> bool:
        """Whether the door said that it has it."""
        return 200 <= self.status < 300


class Record:
    """What was answered, by all threads, in the order of answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[Told] = []

    def add(self, told: Told) -> None:
        with self._lock:
            self._told.append(told)

    def all(self) -> list[Told]:
        with self._lock:
            return list(self._told)


class Ehr:
    """One connection of the sending system; each thread has its own."""

    def __init__(self, url: Callable[[], str], token: str, record: Record | None = None) -> None:
        """Send to wherever `url` says the door is at that moment."""
        self._url, self._token = url, token
        self.record = record or Record()
        self._connection: HTTPConnection | None = None
        self.repeated = 0
        """Calls that had to be sent again."""

    def another(self) -> "Ehr":
        """A further connection of the same system, for another thread."""
        return Ehr(self._url, self._token, self.record)

    def send(self, method: str, path: str, body: Any = None) -> Told:
        """Make a call until it is answered by something else than "try again".

        Raises:
            UnansweredError: it never was.
        """
        raw = None if body is None else json.dumps(body).encode()
        status, answer = self._insist(method, path, raw, "application/json")
        told = Told(method, path, body, status, json.loads(answer) if answer else None)
        self.record.add(told)
        return told

    def send_once(self, method: str, path: str, body: Any) -> Told:
        """Make a call once, be the answer "try again"; what was not taken is written down too."""
        status, answer = self._once(method, path, json.dumps(body).encode(), "application/json")
        told = Told(method, path, body, status, json.loads(answer))
        self.record.add(told)
        return told

    def send_batch(self, bodies: Sequence[dict[str, Any]]) -> list[Told]:
        """Post measures as one batch until it is answered; each line is a call of its own."""
        path = "/v1/measures/batch"
        raw = b"\n".join(json.dumps(one).encode() for one in bodies)
        status, answer = self._insist("POST", path, raw, NDJSON)
        lines = [json.loads(line) for line in answer.splitlines()] if status == 200 else []
        lines = lines or [{"status": status}] * len(bodies)
        told = [
            Told("POST", "/v1/measures", body, line["status"], line)
            for body, line in zip(bodies, lines, strict=True)
        ]
        for one in told:
            self.record.add(one)
        return told

    def get(self, path: str) -> Any:
        """What the door tells; nothing of it is written down."""
        status, answer = self._insist("GET", path, None, "")
        assert status == 200, (path, status)
        return json.loads(answer)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _insist(self, method: str, path: str, raw: bytes | None, kind: str) -> tuple[int, bytes]:
        deadline = monotonic() + ANSWERED_WITHIN
        while monotonic() < deadline:
            with suppress(OSError, HTTPException):
                status, answer = self._once(method, path, raw, kind)
                if status != 503:
                    return status, answer
            self.close()
            self.repeated += 1
            sleep(0.05)
        raise UnansweredError(f"{method} {path.split('/')[2]}")

    def _once(self, method: str, path: str, raw: bytes | None, kind: str) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = HTTPConnection(urlsplit(self._url()).netloc, timeout=20)
        headers = {"Authorization": f"Bearer {self._token}"}
        if raw is not None:
            headers["Content-Type"] = kind
        self._connection.request(method, path, raw, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()
