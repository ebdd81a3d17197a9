"""The load generator: a process of its own that sends a bounded number of requests and times them.

    python -m bench.load < PLAN > RESULT

PLAN is one JSON object: {port, connections, rate (a second, or null: as fast as answered),
requests: [{method, path, headers, body}]}; RESULT one too: {seconds, statuses, sent, done}, the
last two lists of CLOCK_MONOTONIC seconds in the order of the requests.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"


@dataclass
class Run:
    """What is sent, and when each request was sent and answered."""

    requests: list[bytes]
    rate: float | None
    started: float = 0.0
    turn: int = 0
    sent: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def take(self) -> int | None:
        """The next request that nobody has sent, or None."""
        if self.turn == len(self.requests):
            return None
        self.turn += 1
        return self.turn - 1

    async def due(self, number: int) -> None:
        """Wait for the moment of a request, where a rate paces them.

        Its time counts from that moment, so that a server which stalls cannot hide behind a
        generator which waits for it.
        """
        if self.rate is None:
            self.sent[number] = time.monotonic()
            return
        moment = self.started + number / self.rate
        self.sent[number] = moment
        await asyncio.sleep(max(0.0, moment - time.monotonic()))


def encode(request: dict[str, Any], port: int) -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    body: bytes = request.get("body", "").encode()
    headers = {"Host": f"{HOST}:{port}", **request.get("headers", {})}
    if body:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{request['method']} {request['path']} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def connection(run: Run, port: int) -> None:
    """One kept-alive connection that sends until nothing is left."""
    reader, writer = await asyncio.open_connection(HOST, port)
    while (number := run.take()) is not None:
        await run.due(number)
        writer.write(run.requests[number])
        run.statuses[await answer(reader)] += 1
        run.done[number] = time.monotonic()
    writer.close()


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    length = lowered.partition(b"content-length:")[2].partition(b"\r\n")[0]
    if length:
        await reader.readexactly(int(length))
    elif b"chunked" in lowered:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head[9:12])


async def play(plan: dict[str, Any]) -> Run:
    """Send everything of the plan."""
    requests = [encode(request, plan["port"]) for request in plan["requests"]]
    empty = [0.0] * len(requests)
    run = Run(requests, plan.get("rate"), sent=list(empty), done=list(empty))
    run.started = time.monotonic() + 0.1
    await asyncio.gather(*(connection(run, plan["port"]) for _ in range(plan["connections"])))
    return run


def main() -> None:
    """Read the plan, play it, print what happened."""
    run = asyncio.run(play(json.load(sys.stdin)))
    result = {
        "seconds": max(run.done) - min(run.sent),
        "statuses": run.statuses,
        "sent": run.sent,
        "done": run.done,
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
