"""The channel of webhooks: a notice as signed JSON, posted to an address that was named for it.

Signatures, headers and the meaning of answers are those of Standard Webhooks (version 1).
"""

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from services.alerts.channels import TIMEOUT_S, FailedError, NoUseError, Outgoing

MARK = "whsec_"
SECRET_BYTES = 32
GONE = 410
DEADLINE_S = 30.0
"""Seconds from the connection to the answer: a receiver that sends byte by byte holds nobody up."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: a gateway leads from here to the IPv4 address in the last 32 bits."""


class WebhookRefusedError(Exception):
    """An address cannot be taken for a webhook; the text is for the command line."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where webhooks may lead."""

    networks: tuple[Network, ...]
    """Private networks that may be posted to all the same, as the clinic's own."""
    ca_file: str
    """Certificates that sign the receivers'; empty: those of the system."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts notices."""

    settings: WebhookSettings

    def check(self, url: str) -> None:
        """Refuse an address that could never be posted to.

        Raises:
            WebhookRefusedError: says what an address has to be.
        """
        parts = _parts(url)
        if parts is None or parts.scheme not in ("https", "http") or parts.username:
            raise WebhookRefusedError("the address is one of the form https://host/path")
        if parts.scheme == "http" and not self._is_allowed_literal(parts.hostname or ""):
            raise WebhookRefusedError(
                "the address begins with https://; http:// is taken only for an address in "
                "one of the networks of WEBHOOK_NETWORKS"
            )

    def send(self, notice: Outgoing, url: str, secret: str) -> None:
        """Post one.

        Raises:
            NoUseError: the receiver said that it is gone for good (410).
            FailedError: no answer, another answer than 2xx, or an address that is not allowed.
        """
        body = _body(notice)
        moment = str(int(notice.at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "pivotpoint",
            "webhook-id": notice.id,
            "webhook-timestamp": moment,
            "webhook-signature": sign(secret, notice.id, moment, body),
        }
        status = self._post(urlsplit(url), body, headers)
        if status == GONE:
            raise NoUseError("HTTP 410")
        if not 200 <= status < 300:
            raise FailedError(f"HTTP {status}")

    def _post(self, parts: SplitResult, body: bytes, headers: dict[str, str]) -> int:
        target = parts.path or "/"
        if parts.query:
            target += "?" + parts.query
        try:
            host = parts.hostname or ""
            port = parts.port or (443 if parts.scheme == "https" else 80)
            with self._connection(parts.scheme, host, port) as connection:
                connection.request("POST", target, body, headers)
                return connection.getresponse().status  # a redirect is an answer, not followed
        except (OSError, ValueError, http.client.HTTPException) as error:
            # ValueError: a host or port that is none; it must not hold up what goes elsewhere.
            raise FailedError(type(error).__name__) from error

    @contextmanager
    def _connection(
        self, scheme: str, host: str, port: int
    ) -> Iterator[http.client.HTTPConnection]:
        """A connection to an address that was looked at: no second look-up can change it.

        It is cut off at the deadline, whatever it is about.
        """
        address = self._looked_up(host, port)
        line = socket.create_connection((str(address), port), timeout=TIMEOUT_S)
        if scheme == "https":
            tls = ssl.create_default_context(cafile=self.settings.ca_file or None)
            line = tls.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        connection.sock = line
        deadline = threading.Timer(DEADLINE_S, _cut, [line])
        deadline.daemon = True
        deadline.start()
        try:
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            yield connection
        finally:
            deadline.cancel()
            connection.close()
            line.close()

    def _looked_up(self, host: str, port: int) -> Address:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
        if not addresses or not all(self._is_allowed(one) for one in addresses):
            raise FailedError("address not allowed")
        return addresses[0]

    def _is_allowed_literal(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return _is_in(address, self.settings.networks)

    def _is_allowed(self, address: Address) -> bool:
        """Whether it is out in the world, or in a network that was named."""
        address = _reached(address)
        local = address.is_multicast or getattr(address, "is_site_local", False)
        world = address.is_global and not local
        return world or _is_in(address, self.settings.networks)


def receiver_of(url: str) -> str:
    """Whom an address belongs to; its path and query may hold a secret, and are left out."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def sign(secret: str, id_: str, moment: str, body: bytes) -> str:
    """The value of `webhook-signature`: version 1, HMAC-SHA-256 over id, moment and body."""
    key = base64.b64decode(secret.removeprefix(MARK))
    signed = b".".join((id_.encode(), moment.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def secret_of(random: bytes) -> str:
    """A secret in the form in which receivers expect it."""
    return MARK + base64.b64encode(random).decode()


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None when it is none."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, or an IPv6 address has no end
        return None
    plain = url.isascii() and url.isprintable() and " " not in url
    return parts if named and plain else None


def _body(notice: Outgoing) -> bytes:
    data = {
        "person": notice.person, "kind": notice.kind, "count": notice.count, "url": notice.url,
    }  # fmt: skip
    message = {"type": "inbox.waiting", "timestamp": notice.at.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _reached(address: Address) -> Address:
    """The IPv4 address to which an IPv6 address of a transition leads, else the same."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (low if address in _NAT64 else address)


def _cut(line: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        line.shutdown(socket.SHUT_RDWR)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == one.version and address in one for one in networks)
