"""Settings read once at the start of a service: typed readers over a mapping of texts.

Every reader notes what is wrong and goes on, so that one `SettingsError` names all faults at once.
"""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

T = TypeVar("T")

_FLAGS = {"1": True, "true": True, "yes": True, "on": True}
_FLAGS |= {"0": False, "false": False, "no": False, "off": False}


SEALED = ("require", "verify-ca", "verify-full")
"""The modes of PostgreSQL's clients that never talk in clear."""


FILES = "sqlite:///"
IN_CLEAR = (
    "names a database that may be reached in clear: add ?sslmode=verify-full&sslrootcert=FILE to it"
)
DISTINCT_BYTES = 16
"""32 random bytes have fewer different ones once in more than 10^16 draws."""
DEFAULT_PASSWORDS = frozenset(
    (
        "admin", "change-me", "changeme", "example", "kafka", "password", "pivotpoint", "postgres",
        "secret", "test",
    )
)  # fmt: skip


class SettingsError(Exception):
    """Settings are missing or wrong; `faults` has a line for each, naming what to set."""

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting as a reader declared it, for tables in READMEs."""

    name: str
    kind: str
    default: str
    meaning: str


def environment() -> Mapping[str, str]:
    """The process's environment as it is now; the only place that reads it."""
    return dict(os.environ)


class Reader:
    """Reads the settings that start with `prefix`; `done()` raises what was wrong.

    A reader given no default declares a setting that must be set. Values never appear in faults,
    since a secret in the wrong place would then be printed.
    """

    def __init__(self, source: Mapping[str, str], prefix: str) -> None:
        """Read from `source`, such as `environment()`, the names that begin with `prefix`."""
        self._source = source
        self._prefix = prefix
        self._faults: list[str] = []
        self.declared: list[Declared] = []

    def text(self, name: str, meaning: str, default: str | None = None) -> str:
        """A text, not empty unless the default is."""
        return self._read(name, "text", meaning, default, "", _text, "a text")

    def integer(
        self,
        name: str,
        meaning: str,
        default: int | None = None,
        *,
        low: int | None = None,
        high: int | None = None,
    ) -> int:
        """A whole number from `low` to `high`, both included."""
        wanted = "a whole number" + _limits(low, high)
        return self._read(name, "integer", meaning, default, 0, _within(int, low, high), wanted)

    def number(
        self,
        name: str,
        meaning: str,
        default: float | None = None,
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> float:
        """A number from `low` to `high`, both included."""
        wanted = "a number" + _limits(low, high)
        return self._read(name, "number", meaning, default, 0.0, _within(float, low, high), wanted)

    def flag(self, name: str, meaning: str, default: bool | None = None) -> bool:
        """Yes or no, in any of the usual spellings."""
        return self._read(name, "flag", meaning, default, _no(), _flag, "true or false")

    def choice(
        self, name: str, meaning: str, options: Collection[str], default: str | None = None
    ) -> str:
        """One of `options`."""

        def pick(raw: str) -> str:
            if raw not in options:
                raise ValueError
            return raw

        wanted = "one of " + ", ".join(options)
        return self._read(name, wanted, meaning, default, "", pick, wanted)

    def zone(self, name: str, meaning: str, default: str | None = None) -> ZoneInfo:
        """A time zone of the IANA data base, as in Europe/Amsterdam."""
        chosen = None if default is None else ZoneInfo(default)
        wanted = "an IANA time zone such as Europe/Amsterdam"
        return self._read(name, "time zone", meaning, chosen, ZoneInfo("UTC"), _zone, wanted)

    def secret(self, name: str, meaning: str, default: str | None = None) -> str:
        """A secret from NAME, or from the file that NAME_FILE names; its default is never shown."""
        full = self._prefix + name
        self.declared.append(Declared(full, f"secret (or {full}_FILE)", _shown(default), meaning))
        raw, file = self._source.get(full), self._source.get(full + "_FILE")
        if raw and file:
            self._fault(f"{full} and {full}_FILE are both set: set one of them")
        elif file:
            raw = self._from_file(full + "_FILE", file)
        if raw:
            return raw
        if default is None and not file:
            self._fault(f"{full} is not set: set it, or {full}_FILE to a file that holds it")
        return default or ""

    def file_of(self, name: str) -> str:
        """The file that a secret is read from; empty when none is named."""
        return self._source.get(f"{self._prefix}{name}_FILE", "")

    def refuse(self, name: str, why: str) -> None:
        """Count a setting as wrong whose value cannot be taken beside another's."""
        self._fault(f"{self._prefix}{name} {why}")

    def done(self) -> None:
        """End the reading.

        Raises:
            SettingsError: a setting is missing, wrong, or none that any reader asked for.
        """
        self._faults.extend(self._unknown())
        if self._faults:
            raise SettingsError(self._faults)

    def _read(
        self,
        name: str,
        kind: str,
        meaning: str,
        default: T | None,
        stand_in: T,
        parse: Callable[[str], T],
        wanted: str,
    ) -> T:
        full = self._prefix + name
        self.declared.append(Declared(full, kind, _shown(default), meaning))
        raw = self._source.get(full)
        if raw is None:
            if default is None:
                self._fault(f"{full} is not set: set it to {wanted} ({meaning})")
                return stand_in
            return default
        try:
            return parse(raw.strip())
        except ValueError:
            self._fault(f"{full} is wrong: set it to {wanted} ({meaning})")
            return stand_in if default is None else default

    def _from_file(self, full: str, file: str) -> str:
        try:
            held = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError):
            self._fault(f"{full} names a file that cannot be read: set it to one that can")
            return ""
        if not held:
            self._fault(f"{full} names an empty file: put the secret into it")
        return held

    def _unknown(self) -> list[str]:
        known = {declared.name for declared in self.declared}
        known |= {f"{d.name}_FILE" for d in self.declared if d.kind.startswith("secret")}
        faults = []
        for name in sorted(self._source):
            if name.startswith(self._prefix) and name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else "remove it"
                faults.append(f"{name} is no setting: {hint}")
        return faults

    def _fault(self, fault: str) -> None:
        self._faults.append(fault)


def refuse_for_production(reader: Reader, store: str, key: bytes) -> None:
    """Count as wrong what production must not start with: STORE in clear, secrets of no worth."""
    if is_open(store):
        reader.refuse("STORE", IN_CLEAR)
    if is_default(urlsplit(store).password or ""):
        reader.refuse("STORE", "holds a password that examples ship with: set one of your own")
    if key and len(set(key)) < DISTINCT_BYTES:
        reader.refuse("MASTER_KEY", "was not drawn at random: set it to `openssl rand -hex 32`")
    beside = Path(store.removeprefix(FILES)).resolve() if store.startswith(FILES) else None
    file = reader.file_of("MASTER_KEY")
    if beside is not None and file and Path(file).resolve().is_relative_to(beside):
        reader.refuse("MASTER_KEY_FILE", "lies beside the data it opens: keep the key elsewhere")


def is_on(flag: str) -> bool:
    """Whether a flag is on, as its reader will find; what is no flag stops the start anyhow."""
    return _FLAGS.get(flag.strip().lower(), True) if flag else False


def is_default(password: str) -> bool:
    """Whether a password is one that examples and images of servers ship with."""
    return unquote(password).lower() in DEFAULT_PASSWORDS


def is_open(store: str) -> bool:
    """Whether a store is reached over a network without demanding TLS."""
    address = urlsplit(store)
    mode = parse_qs(address.query).get("sslmode", [""])[-1]
    return address.scheme.startswith("postgres") and mode not in SEALED


def table(read: Callable[[Reader], object], prefix: str) -> str:
    """The settings that `read` asks for as a Markdown table, in the order it asks for them."""
    reader = Reader({}, prefix)
    read(reader)
    lines = ["| setting | kind | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{d.name}` | {d.kind} | {d.default} | {d.meaning} |" for d in reader.declared]
    return "\n".join(lines) + "\n"


def _no() -> bool:
    return False


def _shown(default: object) -> str:
    if default is None:
        return "must be set"
    if isinstance(default, bool):
        return "`true`" if default else "`false`"
    return f"`{default}`" if str(default) else "empty"


def _text(raw: str) -> str:
    if not raw:
        raise ValueError
    return raw


def _flag(raw: str) -> bool:
    try:
        return _FLAGS[raw.lower()]
    except KeyError as error:
        raise ValueError from error


def _zone(raw: str) -> ZoneInfo:
    if raw not in available_timezones():
        raise ValueError
    return ZoneInfo(raw)


N = TypeVar("N", int, float)


def _within(parse: Callable[[str], N], low: N | None, high: N | None) -> Callable[[str], N]:
    def read(raw: str) -> N:
        value = parse(raw)
        # Not-a-number compares false with everything, so it is asked whether the value lies inside.
        if not (-float("inf") < value < float("inf")):
            raise ValueError
        if (low is not None and value < low) or (high is not None and value > high):
            raise ValueError
        return value

    return read


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return f" of at most {high}" if high is not None else ""
