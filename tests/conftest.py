"""What holds for every test: sockets reach this machine alone."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

pytest_plugins = ["tests.servers.fixtures"]


class OutsideError(RuntimeError):
    """A test tried to reach another machine."""


def _inside(address: Any) -> bool:
    if not isinstance(address, tuple):  # a Unix socket
        return True
    host = str(address[0])
    return host in ("localhost", "::1", "") or host.startswith("127.")


def _is_number(host: Any) -> bool:
    try:
        ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Refuse every connection that would leave this machine, and every look-up of its name."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex, resolve = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(self: socket.socket, address: Any) -> None:
        if not _inside(address):
            raise OutsideError("tests reach this machine alone")
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        if not _inside(address):
            raise OutsideError("tests reach this machine alone")
        return connect_ex(self, address)

    def looked_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not (host is None or _is_number(host) or _inside((str(host),))):
            raise OutsideError("tests look no name up")
        return resolve(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded)
    patch.setattr(socket.socket, "connect_ex", guarded_ex)
    patch.setattr(socket, "getaddrinfo", looked_up)
    yield
    patch.undo()
