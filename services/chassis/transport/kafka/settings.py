"""How a service reaches Kafka: addresses, identity, topics, and when it gives up."""

from dataclasses import dataclass, field
from typing import Any

from services.chassis.settings import Reader, is_default

HOUR_S = 3600
BESIDE_BACKUP_HOURS = 7 * 24
"""What retention must exceed the age of the oldest backup by: the time to notice and restore."""
OPEN = ("PLAINTEXT", "SASL_PLAINTEXT")
SEALED = ("SSL", "SASL_SSL")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """What an installation says of its Kafka; times in seconds."""

    bootstrap: tuple[str, ...]
    """host:port of brokers to ask first."""
    security: str = "PLAINTEXT"
    ca_file: str = ""
    """PEM certificates that brokers' are checked against; empty: the system's."""
    mechanism: str = MECHANISMS[0]
    user: str = ""
    password: str = field(default="", repr=False)
    client_id: str = "pivotpoint"
    partitions: int = 6
    replication: int = 1
    retention_hours: int = 14 * 24
    backup_hours: int = 24
    deadline_s: float = 30.0
    """For a page, from the call to the last acknowledgement."""
    request_s: float = 10.0
    """For one request to a broker."""
    page: int = 500
    """Messages given to a receiver at a time, at most."""
    slow_s: float = 300.0
    """How long a receiver may work at a page before its partitions are given to another."""
    session_s: float = 45.0
    """How long a silent process keeps its partitions."""
    metadata_s: float = 30.0
    """After how long new partitions are seen."""

    @property
    def connection(self) -> dict[str, Any]:
        """What every client needs to connect."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.bootstrap),
            "client_id": self.client_id,
            "security_protocol": self.security,
            "request_timeout_ms": round(self.request_s * 1000),
            "metadata_max_age_ms": round(self.metadata_s * 1000),
            "reconnect_backoff_max_ms": 1000,
        }
        if self.security.endswith("SSL"):
            options["ssl_cafile"] = self.ca_file or None
        if self.security.startswith("SASL"):
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.user
            options["sasl_plain_password"] = self.password
        return options


def read(reader: Reader, *, production: bool) -> KafkaSettings | None:
    """Ask for every setting of Kafka; None when no broker is named.

    In production the connection must be sealed and is never replaced by an open one, since the
    topics hold clinical data.
    """
    bootstrap = reader.text("KAFKA_BOOTSTRAP", "brokers as host:port, separated by commas", "")
    used = bool(bootstrap)
    security = _security(reader, strict=production and used)
    named = "" if not security.startswith("SASL") else None
    backup = reader.integer(
        "KAFKA_BACKUP_HOURS", "age in hours of the oldest backup to be restored", 24, low=1
    )
    settings = KafkaSettings(
        bootstrap=tuple(name.strip() for name in bootstrap.split(",") if name.strip()),
        security=security,
        ca_file=reader.text("KAFKA_CA_FILE", "certificates that sign the brokers'", ""),
        mechanism=reader.choice(
            "KAFKA_SASL_MECHANISM", "how the user is proven", MECHANISMS, MECHANISMS[0]
        ),
        user=reader.text("KAFKA_USER", "who connects, with SASL", named),
        password=reader.secret("KAFKA_PASSWORD", "of that user", named),
        client_id=reader.text("KAFKA_CLIENT_ID", "name in the brokers' logs", "pivotpoint"),
        partitions=reader.integer("KAFKA_PARTITIONS", "of each topic", 6, low=1, high=1000),
        replication=reader.integer(
            "KAFKA_REPLICATION", "brokers that keep each message", 3 if production else 1, low=1
        ),
        retention_hours=reader.integer(
            "KAFKA_RETENTION_HOURS",
            "for how long topics keep messages: the age of the oldest backup and a week more",
            max(14 * 24, backup + BESIDE_BACKUP_HOURS),
            low=backup + BESIDE_BACKUP_HOURS,
        ),
        backup_hours=backup,
        **_times(reader),
    )
    if production and is_default(settings.password):
        reader.refuse("KAFKA_PASSWORD", "is one that examples ship with: set one of your own")
    return settings if used else None


def _security(reader: Reader, *, strict: bool) -> str:
    options, default = (SEALED, None) if strict else ((*OPEN, *SEALED), OPEN[0])
    return reader.choice("KAFKA_SECURITY", "how the connection is protected", options, default)


def _times(reader: Reader) -> dict[str, Any]:
    return {
        "deadline_s": reader.number(
            "KAFKA_DEADLINE_S", "seconds for a page of messages to be stored", 30.0, low=1.0
        ),
        "request_s": reader.number(
            "KAFKA_REQUEST_S", "seconds for one request to a broker", 10.0, low=0.5, high=300.0
        ),
        "page": reader.integer("KAFKA_PAGE", "messages taken at a time", 500, low=1, high=10_000),
        "slow_s": reader.number(
            "KAFKA_SLOW_S", "seconds a page may take before another takes over", 300.0, low=1.0
        ),
        "session_s": reader.number(
            "KAFKA_SESSION_S", "seconds of silence before another takes over", 45.0, low=1.0
        ),
        "metadata_s": reader.number(
            "KAFKA_METADATA_S", "seconds until new partitions are seen", 30.0, low=0.5
        ),
    }
