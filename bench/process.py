"""Processes of a bench: the server under test, and the load generator that calls it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LONGEST = 300.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load came to; times in CLOCK_MONOTONIC seconds, in the order of the requests."""

    seconds: float
    statuses: dict[str, int]
    sent: list[float]
    done: list[float]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.done) / self.seconds

    @property
    def milliseconds(self) -> list[float]:
        """How long each request took."""
        return [(b - a) * 1000 for a, b in zip(self.sent, self.done, strict=True)]


class ServerFailedError(Exception):
    """The server under test did not do what it was asked to."""


class Child:
    """A server that was started; `told` is what it said when it was ready."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        if process.stdin is None or process.stdout is None:
            raise ServerFailedError("a server is talked to through pipes")
        self._process, self._to, self._from = process, process.stdin, process.stdout
        self.told: dict[str, Any] = self._hear()

    def ask(self, **order: Any) -> Any:
        """Give it one order; its answer."""
        self._to.write(json.dumps(order) + "\n")
        self._to.flush()
        return self._hear()

    def _hear(self) -> Any:
        line = self._from.readline()
        if not line:
            raise ServerFailedError(f"the server ended with {self._process.wait()}")
        return json.loads(line)


def _ended(process: "subprocess.Popen[str]") -> None:
    """Let a server end once its input has, and end it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()


@contextmanager
def server(kind: str, folder: Path, store: str = "") -> Iterator[Child]:
    """A server of `bench.server` in a process of its own, ended at the end of the block.

    It keeps everything in `folder`, or at `store` when that is named.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.server", kind, str(folder), *([store] if store else [])],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Child(process)
        finally:
            _ended(process)


def load(
    port: int,
    requests: Sequence[dict[str, Any]],
    *,
    connections: int,
    rate: float | None = None,
    expect: Sequence[int] = (200, 201),
) -> Loaded:
    """Send requests from a process of its own.

    Raises:
        ServerFailedError: one was answered with another status than expected.
    """
    plan = {"port": port, "connections": connections, "rate": rate, "requests": list(requests)}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=True,
    )
    loaded = Loaded(**json.loads(done.stdout))
    if set(loaded.statuses) - {str(status) for status in expect}:
        raise ServerFailedError(f"answers by status: {loaded.statuses}")
    return loaded
