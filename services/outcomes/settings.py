"""Settings of the outcomes service, read once at its start: the door's and every rule's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from services.chassis import folder
from services.chassis.settings import Reader, SettingsError, environment, refuse_for_production
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.settings import read as read_kafka
from services.outcomes.core import estimate
from services.outcomes.core.estimate import Defaults
from services.outcomes.core.rules import Rules

PREFIX = "PIVOTPOINT_OUTCOMES_"
KEY_BYTES = 32

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation decides about taking measures in and finding failures."""

    production: bool
    store: str
    """Where everything is kept: sqlite:///FOLDER or postgresql://…"""
    erasures: str
    """The file that lists who was erased, empty for none."""
    master_key: bytes
    """32 bytes that wrap every other key."""
    zone: ZoneInfo
    """Says which day it is when a measure is dated."""
    host: str
    port: int
    threads: int
    """Requests answered at a time."""
    follow_port: int
    """Where the process that follows answers probes."""
    kafka: KafkaSettings | None
    """How the other service is reached; None: it runs in the same process."""
    commit_limit: int
    """Commands stored in one transaction at most."""
    page: int
    """Events that a follower takes at a time."""
    poll_s: float
    """Seconds between a follower's looks at the log when nothing wakes it."""
    heartbeat_s: float
    """Seconds between heartbeats of the risk path."""
    instruments: str
    """A folder with the clinic's own instruments, empty for none."""
    recalibration: str
    """A file with the clinic's own recalibrations of P(fail), empty for none."""
    rules: Rules
    model: Defaults


def read(reader: Reader) -> Settings:
    """Ask for every setting; the caller ends the reading with `reader.done()`."""
    production = reader.flag(
        "PRODUCTION",
        "refuse what is reached in clear, and keys and passwords that are none",
        default=False,
    )
    store = reader.secret("STORE", "where everything is kept: sqlite:///FOLDER or postgresql://…")
    key = _key(reader.secret("MASTER_KEY", "64 hexadecimal digits; wraps every other key"))
    if production:
        refuse_for_production(reader, store, key)
    return Settings(
        production=production,
        store=store,
        erasures=reader.text(
            "ERASURES", "file that lists who was erased, kept apart from database and backups", ""
        ),
        master_key=key,
        zone=reader.zone("ZONE", "the installation's time zone"),
        host=reader.text("HOST", "address to listen at", "127.0.0.1"),
        port=reader.integer("PORT", "port to listen at, 0 for a free one", 8070, low=0, high=65535),
        threads=reader.integer("THREADS", "requests answered at a time", 32, low=1, high=256),
        follow_port=reader.integer(
            "FOLLOW_PORT",
            "port at which `follow` answers probes, 0 for a free one",
            8072,
            low=0,
            high=65535,
        ),
        kafka=read_kafka(reader, production=production),
        commit_limit=reader.integer(
            "COMMIT_LIMIT", "commands stored in one transaction at most", 256, low=1, high=10_000
        ),
        page=reader.integer("PAGE", "events a follower takes at a time", 500, low=1, high=10_000),
        poll_s=reader.number(
            "POLL_S", "seconds between a follower's looks when nothing wakes it", 0.05, low=0.001
        ),
        heartbeat_s=reader.number(
            "HEARTBEAT_S", "seconds between heartbeats of the risk path", 30.0, low=0.1, high=120.0
        ),
        instruments=reader.text("INSTRUMENTS", "folder of the clinic's own instruments", ""),
        recalibration=reader.text(
            "RECALIBRATION", "file of the clinic's own, as `pivotpoint fit` writes it", ""
        ),
        rules=_numbers(reader, "RULE_", Rules()),
        model=_numbers(reader, "MODEL_", estimate.DEFAULTS),
    )


def load(source: Mapping[str, str]) -> Settings:
    """The settings in a mapping such as the environment.

    Raises:
        SettingsError: names every fault at once.
    """
    reader = Reader(source, PREFIX)
    settings = read(reader)
    reader.done()
    if len(settings.master_key) != KEY_BYTES:
        raise SettingsError([f"{PREFIX}MASTER_KEY is wrong: set it to 64 hexadecimal digits"])
    return settings


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


_LIMITS = {
    "damping": (0.01, 0.999),  # at 1 the slope would never end
    "alarm_budget": (0.0, 1.0),
    "alarm_threshold": (0.0, 1.0),
    "flat": (0.0, 1.0),
    "better": (0.0, 1.0),
    "still_case": (0.0, 1.0),
}
_MOST = 3_650
"""Ten years: later days than any course has, and dates that there are."""
_COUNTS = {
    "horizon_weeks": (1, 52),
    "alarm_measures": (1, _MOST),
    "window_days": (1, _MOST),
    "window_measures": (3, _MOST),  # through two measures every line is exact
    "gap_days": (1, _MOST),  # at 0 each measure begins a segment, and none is ever judged
    "segment_measures": (1, _MOST),
    "silence_days": (1, _MOST),
    "missed_in_row": (1, _MOST),
    "sawtooth": (1, _MOST),
}
"""Whole numbers that 0 would make into something else than a stricter rule."""


def _numbers(reader: Reader, prefix: str, defaults: D) -> D:
    """A dataclass of numbers, each a setting of its own with the default that it has."""
    values: dict[str, Any] = {}
    for field in fields(defaults):  # type: ignore[arg-type]
        default = getattr(defaults, field.name)
        name, meaning = prefix + field.name.upper(), field.name.replace("_", " ")
        if isinstance(default, tuple):
            values[field.name] = tuple(
                reader.integer(f"{name}_{place}", meaning, value, low=1, high=_MOST)
                for place, value in enumerate(default, 1)
            )
        elif isinstance(default, int):
            least, most = _COUNTS.get(field.name, (0, _MOST))
            values[field.name] = reader.integer(name, meaning, default, low=least, high=most)
        else:
            low, high = _LIMITS.get(field.name, (-10.0, 10.0) if default < 0 else (0.0, 10.0))
            values[field.name] = reader.number(name, meaning, default, low=low, high=high)
    return type(defaults)(**values)


def of_folder(data: Path, **more: str) -> Settings:
    """The settings of a data folder; the environment wins over them, `more` over both.

    Raises:
        SettingsError: something of it is wrong.
        OSError: the folder cannot be written.
    """
    return load(folder.source(data, "outcomes", PREFIX, more))


def of_environment() -> Settings:
    """The settings of a process that has no data folder.

    Raises:
        SettingsError: something is missing or wrong.
    """
    return load(environment())
