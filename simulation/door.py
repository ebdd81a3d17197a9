"""The made-up EHR's side of the door: sends its calls over HTTP, one connection, token in hand."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

from simulation.clinic import Call
from simulation.summary import Posted

JSON = "application/json"
NDJSON = "application/x-ndjson"
TIMEOUT = 30.0
CONNECTIONS = 24
"""As many calls are stored in one commit together; each commit wakes every follower."""


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


class Office:
    """The made-up EHR as a whole: what concerns one client goes in order, clients side by side."""

    def __init__(self, port: int, token: str) -> None:
        """Open a few connections as the sender of this token."""
        self.posted = Posted()
        self._doors = [Door(port, token) for _ in range(CONNECTIONS)]
        self._pool = ThreadPoolExecutor(CONNECTIONS, "ehr")

    def send_day(self, calls: Sequence[Call], *, batch: bool) -> None:
        """Send a day's calls; with `batch` the day's measures go as one batch at its end.

        Raises:
            DoorError: one was refused.
        """
        together = [call for call in calls if call.kind == "measure" and batch]
        alone = [call for call in calls if call.kind != "measure" or not batch]
        chains: dict[str, list[Call]] = {}
        for call in alone:
            chains.setdefault(call.client, []).append(call)
        shares = [list(chains.values())[n :: len(self._doors)] for n in range(len(self._doors))]
        list(self._pool.map(_send_chains, self._doors, shares))
        if together:
            self._doors[0].send_batch(together)
        for call in calls:
            self.posted.count(call)

    def close(self) -> None:
        """Hang up."""
        self._pool.shutdown()
        for door in self._doors:
            door.close()


def _send_chains(door: Door, chains: list[list[Call]]) -> None:
    for chain in chains:
        for call in chain:
            door.send(call)
