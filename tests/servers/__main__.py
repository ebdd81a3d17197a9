"""`python -m tests.servers`: starts the servers, says where they are, ends them on Ctrl-C.

With `-- COMMAND` it starts all that are named, or none, and runs the command beside them; {kafka}
and its like in the command become addresses.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from tests.servers.kafka import Kafka
from tests.servers.place import MissingError
from tests.servers.postgres import Cluster
from tests.servers.prometheus import Alertmanager, Prometheus

NO_ALERTS = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def _kafka() -> tuple[str, Callable[[], None]]:
    broker = Kafka().start()
    return broker.bootstrap, broker.close


def _postgres() -> tuple[str, Callable[[], None]]:
    server = Cluster().start()
    return server.location, server.close


def _prometheus() -> tuple[str, Callable[[], None]]:
    server = Prometheus("scrape_configs: []\n").start()
    return server.url, server.close


def _alertmanager() -> tuple[str, Callable[[], None]]:
    server = Alertmanager(NO_ALERTS).start()
    return server.url, server.close


SERVERS = {
    "postgres": _postgres,
    "kafka": _kafka,
    "prometheus": _prometheus,
    "alertmanager": _alertmanager,
}


def main(arguments: Sequence[str]) -> int:
    """Start the servers named, or all, and what stands after "--"; the exit code."""
    names, command = list(arguments), []
    if "--" in names:
        command = names[names.index("--") + 1 :]
        names = names[: names.index("--")]
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with ExitStack() as stack:
        addresses = _started(names or list(SERVERS), stack)
        if command:
            return _beside(command, addresses, stopping) if len(addresses) == len(names) else 1
        if addresses:
            stopping.wait()
    return 0 if addresses else 1


def _started(names: Sequence[str], stack: ExitStack) -> dict[str, str]:
    """Those that could be had, and where they are."""
    addresses = {}
    for name in names:
        try:
            addresses[name], close = SERVERS[name]()
        except MissingError as error:
            sys.stderr.write(f"{error}\n")
            continue
        stack.callback(close)
        sys.stdout.write(f"{name} {addresses[name]}\n")
        sys.stdout.flush()
    return addresses


def _beside(command: list[str], addresses: dict[str, str], stopping: threading.Event) -> int:
    """Run a command until it ends or we are asked to end."""
    child = subprocess.Popen([part.format(**addresses) for part in command], start_new_session=True)
    while child.poll() is None:
        if stopping.wait(0.1):
            child.terminate()
            break
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
