"""The running product as a process of its own, to be killed at any moment and started again."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).parents[2]
STARTED_WITHIN = 60.0
RUN = ("-m", "services", "run")


class DiedError(Exception):
    """The process ended before it said where it is reached; its last words are the text."""


class Process:
    """`pivotpoint run` over a folder; what it writes to standard error is kept in a file."""

    def __init__(
        self,
        data: Path,
        errors: Path,
        program: Sequence[str] = RUN,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing runs yet; `program` is what Python is given before the folder.

        `environment` replaces this process's own.
        """
        self._environment = environment
        ports = ("--outcomes-port", "0", "--alerts-port", "0") if program is RUN else ()
        self.data, self.errors = data, errors
        self._command = [sys.executable, *program, "--data", str(data), *ports]
        self._process: subprocess.Popen[bytes] | None = None
        self._addresses: dict[str, str] = {}

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            DiedError: it ended instead.
        """
        addresses = self.data / "addresses.json"
        addresses.unlink(missing_ok=True)  # those of the process that was killed
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        deadline = monotonic() + STARTED_WITHIN
        while True:
            with suppress(OSError, ValueError):
                self._addresses = json.loads(addresses.read_text())
                return
            if self._process.poll() is not None or monotonic() > deadline:
                self.kill()
                raise DiedError(self.errors.read_text()[-2000:])
            sleep(0.02)

    def url(self, service: str) -> str:
        """Where a service was reached last; nobody may be there any more.

        Raises:
            ConnectionError: it never was.
        """
        if service not in self._addresses:
            raise ConnectionError("it has not said yet where it is")
        return self._addresses[service]

    def wait(self, within: float) -> int | None:
        """The exit code, None when it still runs after so many seconds."""
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(within)
        return None

    def kill(self) -> None:
        """End it with no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(how)
        return self._process.wait(30)
