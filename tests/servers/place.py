"""What every server needs: free ports, a process that surely ends, a place for what is fetched."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

START_WITHIN = 180.0
END_WITHIN = 10.0


class MissingError(Exception):
    """A server cannot be had here; says why, and the command that installs it."""

    def __init__(self, what: str, why: str, command: str) -> None:
        super().__init__(f"{what} was NOT started: {why} — install it with `{command}`")


class StartError(Exception):
    """A server that is installed did not start; says what it wrote last."""


def cache() -> Path:
    """The folder for what is fetched once, outside of the repository."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "pivotpoint"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def program(name: str, what: str, package: str) -> str:
    """The path of a program of a Debian package."""
    found = shutil.which(name)
    if found is None:
        raise MissingError(what, f"there is no {name}", f"apt-get install {package}")
    return found


def free_ports(count: int) -> list[int]:
    """Ports nobody listens at, all different."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def listens(port: int) -> bool:
    """Whether somebody accepts connections at a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A server's process; it dies with the test run, whatever happens to that."""

    def __init__(self, command: Sequence[str], folder: Path, user: str | None = None) -> None:
        """Run `command` in `folder`, as `user`; what it says goes to output.log there."""
        self._command, self._folder, self._user = list(command), folder, user
        self._log = folder / "output.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start and wait until it is ready.

        Raises:
            StartError: it ended, or was not ready in time.
        """
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command] if _SETPRIV else self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
            )
        deadline = time.monotonic() + START_WITHIN
        while not is_ready():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise StartError(f"{self._command[0]} did not start: {self.last_words()}")
            time.sleep(0.05)

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace")[-2000:]

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._child is not None
        return self._child.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> None:
        """Until it has ended by itself."""
        if self._child is not None:
            self._child.wait(END_WITHIN)

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self._child is None:
            return
        self._child.send_signal(signal.SIGCONT)
        self._child.terminate()
        try:
            self._child.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a loss of power would for the process."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()


_SETPRIV = shutil.which("setpriv") is not None
"""util-linux: lets a child die with its parent."""
