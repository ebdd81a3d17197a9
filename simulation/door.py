"""The made-up EHR's side of the door: sends its calls over HTTP, one connection, token in hand."""

import json
from http.client import HTTPConnection
from typing import Any

from simulation.clinic import Call
from simulation.summary import Posted

JSON = "application/json"
NDJSON = "application/x-ndjson"
TIMEOUT = 30.0


class DoorError(Exception):
    """The door answered what a made-up EHR does not expect; the text names route and status."""


class Door:
    """A kept-alive connection to the outcomes service."""

    def __init__(self, port: int, token: str) -> None:
        """Talk to 127.0.0.1:`port` as the sender of this token."""
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, call: Call) -> dict[str, Any]:
        """Make one call.

        Raises:
            DoorError: it was refused.
        """
        body = None if call.body is None else json.dumps(call.body)
        answer: dict[str, Any] = json.loads(self._ask(call.method, f"/v1/{call.path}", body, JSON))
        return answer

    def send_batch(self, calls: list[Call]) -> list[dict[str, Any]]:
        """Post several measures as one NDJSON batch; one result each, in order.

        Raises:
            DoorError: the batch, or a line of it, was refused.
        """
        body = "\n".join(json.dumps(call.body) for call in calls)
        content = self._ask("POST", "/v1/measures/batch", body, NDJSON)
        results: list[dict[str, Any]] = [json.loads(line) for line in content.splitlines()]
        for result in results:
            if result["status"] >= 400:
                raise DoorError(f"a line of a batch was answered with {result['status']}")
        return results

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None, kind: str) -> bytes:
        headers = self._headers | ({"Content-Type": kind} if body is not None else {})
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            route = path.split("?")[0].split("/")[2]
            raise DoorError(f"{method} {route} was answered with {answer.status}")
        return content


def send_day(door: Door, calls: list[Call], posted: Posted, *, batch: bool) -> None:
    """Send a day's calls: first what is told of episodes, then measures, then changes to them."""
    measures = [call for call in calls if call.kind == "measure"]
    for call in calls:
        if call.kind not in ("measure", "correction", "withdrawal", "close"):
            door.send(call)
            posted.others += 1
    if batch and len(measures) > 1:
        door.send_batch(measures)
    else:
        for call in measures:
            door.send(call)
    for call in measures:
        posted.repeated += call.again
        posted.recorded += not call.again
        posted.late += call.late and not call.again
    for call in calls:
        if call.kind in ("correction", "withdrawal", "close"):
            door.send(call)
            posted.corrected += call.kind == "correction"
            posted.withdrawn += call.kind == "withdrawal"
            posted.others += call.kind == "close"
