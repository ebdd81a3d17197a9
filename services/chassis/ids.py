"""Ids: those derived from references under the installation's secret, and fresh ones."""

import hmac
import os
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

REMEMBERED = 4_096
"""Ids that are not worked out anew."""


class Ids:
    """Derives ids from the references of the outside world under the installation's secret.

    Sequential references are guessable, so an id is an HMAC (RFC 2104, SHA-256) and tells nothing
    to whoever lacks the secret; the same reference gives the same id on every replica.
    """

    def __init__(self, secret: bytes) -> None:
        """Take the installation's secret, at least 32 bytes.

        Raises:
            ValueError: the secret is shorter.
        """
        if len(secret) < 32:
            raise ValueError("the installation's secret must be at least 32 bytes long")
        self._keyed = hmac.new(secret, digestmod=sha256)
        # References come again and again, an episode's with each of its messages. Hashes are not
        # remembered: what they are made from may be the secret of a link or session.
        self._derived = lru_cache(REMEMBERED)(self._derive)

    def digest(self, kind: str, *parts: str) -> str:
        """The keyed hash of a reference, 64 hexadecimal digits, for look-ups in views."""
        return self._mac(kind, parts).hex()

    def derive(self, kind: str, *parts: str) -> UUID:
        """The id of the thing of this kind that these references name (RFC 9562 version 8)."""
        return self._derived(kind, *parts)

    def _derive(self, kind: str, *parts: str) -> UUID:
        return UUID(bytes=_stamp(self._mac(kind, parts)[:16]))

    def _mac(self, kind: str, parts: tuple[str, ...]) -> bytes:
        encoded = [part.encode() for part in (kind, *parts)]
        told = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
        mac = self._keyed.copy()
        mac.update(told)
        return mac.digest()


def random_bytes(count: int) -> bytes:
    """That many bytes nobody can foretell, for keys and nonces."""
    return os.urandom(count)


def fresh_id() -> UUID:
    """A random id (RFC 9562 version 4)."""
    raw = bytearray(os.urandom(16))
    raw[6] = (raw[6] & 0x0F) | 0x40
    raw[8] = (raw[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(raw))


def _stamp(raw: bytes) -> bytes:
    stamped = bytearray(raw)
    stamped[6] = (stamped[6] & 0x0F) | 0x80
    stamped[8] = (stamped[8] & 0x3F) | 0x80
    return bytes(stamped)
