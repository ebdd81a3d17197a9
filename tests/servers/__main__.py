"""`python -m tests.servers`: starts the servers, says where they are, ends them on Ctrl-C."""

import signal
import sys
import threading
from collections.abc import Callable

from tests.servers.kafka import Kafka
from tests.servers.place import MissingError
from tests.servers.prometheus import Alertmanager, Prometheus

NO_ALERTS = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def _kafka() -> tuple[str, Callable[[], None]]:
    broker = Kafka().start()
    return broker.bootstrap, broker.close


def _prometheus() -> tuple[str, Callable[[], None]]:
    server = Prometheus("scrape_configs: []\n").start()
    return server.url, server.close


def _alertmanager() -> tuple[str, Callable[[], None]]:
    server = Alertmanager(NO_ALERTS).start()
    return server.url, server.close


SERVERS = {"kafka": _kafka, "prometheus": _prometheus, "alertmanager": _alertmanager}


def main(names: list[str]) -> int:
    """Start the servers named, or all; the exit code."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    closers = []
    try:
        for name in names or SERVERS:
            try:
                address, close = SERVERS[name]()
            except MissingError as error:
                sys.stderr.write(f"{error}\n")
                continue
            closers.append(close)
            sys.stdout.write(f"{name} {address}\n")
            sys.stdout.flush()
        if closers:
            stopping.wait()
    finally:
        for close in reversed(closers):
            close()
    return 0 if closers else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
