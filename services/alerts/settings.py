"""Settings of the alerts service, read once at its start: every number of the policy is here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from ipaddress import ip_network
from pathlib import Path

from services.alerts.channels.mail import MailSettings
from services.alerts.channels.webhook import Network, WebhookSettings
from services.alerts.core.policy import Policy
from services.chassis import folder
from services.chassis.settings import Reader, SettingsError, environment, refuse_for_production
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.settings import read as read_kafka

PREFIX = "PIVOTPOINT_ALERTS_"
KEY_BYTES = 32
_MAIL_SECURITY = ("starttls", "tls", "none")
_WEEKS = {
    "monday to friday": frozenset(range(5)),
    "monday to saturday": frozenset(range(6)),
    "sunday to thursday": frozenset({6, 0, 1, 2, 3}),
    "every day": frozenset(range(7)),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation decides about alerts and the people who read them."""

    store: str
    """Where everything is kept: sqlite:///FOLDER or postgresql://…"""
    erasures: str
    """The file that lists who was erased, empty for none."""
    master_key: bytes
    """32 bytes that wrap every other key."""
    host: str
    port: int
    threads: int
    """Requests answered at a time."""
    follow_port: int
    """Where the process that follows answers probes."""
    kafka: KafkaSettings | None
    """How the other service is reached; None: it runs in the same process."""
    url: str
    """What sign-in links begin with; empty: the address that is listened at."""
    policy: Policy
    backup: tuple[str, ...]
    """Names of the persons who are told when nobody else can be."""
    contact: str
    """Whom to call about this service, shown on every page."""
    policy_link: str
    """Where the local policy on risk stands."""
    lenses: str
    """A folder with the clinic's own lenses, empty for none."""
    mail: MailSettings | None
    """The clinic's mail server; None: nothing is mailed."""
    webhook: WebhookSettings
    digest_hour: int
    """From which hour of a working day on its count is told."""
    production: bool
    heartbeat_late_s: int
    """Seconds after which a missing heartbeat of the risk path is a banner."""
    session_idle_min: int
    session_hours: int
    invite_hours: int


def read(reader: Reader) -> Settings:
    """Ask for every setting; the caller ends the reading with `reader.done()`."""
    production = reader.flag(
        "PRODUCTION",
        "refuse to start without contact, backup, policy, TLS and secrets of one's own",
        default=False,
    )
    needed = None if production else ""
    backup = reader.text("BACKUP", "names of the backup, separated by commas", needed)
    store = reader.secret("STORE", "where everything is kept: sqlite:///FOLDER or postgresql://…")
    key = key_of(reader.secret("MASTER_KEY", "64 hexadecimal digits; wraps every other key"))
    if production:
        refuse_for_production(reader, store, key)
    return Settings(
        store=store,
        erasures=reader.text(
            "ERASURES", "file that lists who was erased, kept apart from database and backups", ""
        ),
        master_key=key,
        host=reader.text("HOST", "address to listen at", "127.0.0.1"),
        port=reader.integer("PORT", "port to listen at, 0 for a free one", 8071, low=0, high=65535),
        threads=reader.integer("THREADS", "requests answered at a time", 16, low=1, high=256),
        follow_port=reader.integer(
            "FOLLOW_PORT",
            "port at which `follow` answers probes, 0 for a free one",
            8073,
            low=0,
            high=65535,
        ),
        kafka=read_kafka(reader, production=production),
        url=reader.text("URL", "what sign-in links begin with", ""),
        policy=_policy(reader),
        backup=tuple(name.strip() for name in backup.split(",") if name.strip()),
        contact=reader.text("CONTACT", "whom to call about this service", needed),
        policy_link=reader.text("RISK_POLICY", "where the local policy on risk stands", needed),
        lenses=reader.text("LENSES", "folder of the clinic's own lenses", ""),
        mail=_mail(reader, production=production),
        webhook=WebhookSettings(
            networks=_networks(reader),
            ca_file=reader.text("WEBHOOK_CA_FILE", "certificates that sign the receivers'", ""),
        ),
        digest_hour=reader.integer(
            "DIGEST_HOUR", "hour of a working day from which its count is told", 8, low=0, high=23
        ),
        production=production,
        heartbeat_late_s=reader.integer(
            "RISK_LATE_S", "seconds of silence of the risk path before the banner", 300, low=1
        ),
        session_idle_min=reader.integer("SESSION_IDLE_MIN", "minutes to sign-out", 30, low=1),
        session_hours=reader.integer("SESSION_HOURS", "hours a sign-in lasts at most", 12, low=1),
        invite_hours=reader.integer("INVITE_HOURS", "hours a sign-in link is good for", 24, low=1),
    )


def _mail(reader: Reader, *, production: bool) -> MailSettings | None:
    settings = MailSettings(
        host=reader.text("MAIL_HOST", "mail server for notices; none are mailed when empty", ""),
        port=reader.integer("MAIL_PORT", "its port", 587, low=1, high=65535),
        security=reader.choice(
            "MAIL_SECURITY", "how the connection is protected", _MAIL_SECURITY, "starttls"
        ),
        sender=reader.text("MAIL_FROM", "address that stands in From", ""),
        user=reader.text("MAIL_USER", "who signs in there, when it asks for that", ""),
        password=reader.secret("MAIL_PASSWORD", "of that user", ""),
        ca_file=reader.text("MAIL_CA_FILE", "certificates that sign the server's", ""),
    )
    if not settings.host:
        return None
    if "@" not in settings.sender:
        reader.refuse("MAIL_FROM", "is no address: set it to one of this clinic's own")
    if production and settings.security == "none":
        reader.refuse("MAIL_SECURITY", "is none: in production mail leaves by starttls or tls")
    return settings


def _networks(reader: Reader) -> tuple[Network, ...]:
    listed = reader.text(
        "WEBHOOK_NETWORKS", "private networks that webhooks may lead to, separated by commas", ""
    )
    try:
        return tuple(ip_network(one.strip()) for one in listed.split(",") if one.strip())
    except ValueError:
        reader.refuse("WEBHOOK_NETWORKS", "is wrong: set it to networks such as 10.2.0.0/16")
        return ()


def _policy(reader: Reader) -> Policy:
    hour = reader.integer("DAY_ENDS", "hour at which the working day ends", 17, low=1, high=23)
    week = reader.choice("WORKING_DAYS", "the working week", tuple(_WEEKS), "monday to friday")
    return Policy(
        zone=reader.zone("ZONE", "the installation's time zone"),
        refractory_days=reader.integer(
            "REFRACTORY_DAYS", "days a channel is silent after it cleared", 28, low=0
        ),
        prompts_a_day=reader.integer(
            "PROMPTS_A_DAY", "prompts per clinician and day; the rest wait as reviews", 3, low=1
        ),
        risk_urgent_minutes=reader.integer(
            "RISK_URGENT_MIN", "minutes within which an urgent risk answer is due", 60, low=1
        ),
        day_ends=time(hour, 0),
        working_days=_WEEKS.get(week, _WEEKS["monday to friday"]),
        unread_hours=reader.integer(
            "UNREAD_HOURS", "hours before unread reliable deterioration is escalated", 72, low=1
        ),
        snooze_days=reader.integer(
            "SNOOZE_DAYS", "days of a snooze when no next session is known", 7, low=1
        ),
        snooze_most_days=reader.integer("SNOOZE_MOST_DAYS", "longest snooze in days", 28, low=1),
        history_days=reader.integer(
            "HISTORY_DAYS", "age in days from which a risk answer counts as history", 14, low=0
        ),
        review_window_days=reader.integer(
            "REVIEW_WINDOW_DAYS", "how near a review date a measure must lie", 14, low=0
        ),
        good_news_days=reader.integer(
            "GOOD_NEWS_DAYS", "days that good news stays in the inbox", 14, low=0
        ),
        lay_out_days=reader.integer(
            "LAY_OUT_DAYS", "days after which an answer still owed goes to supervision", 7, low=0
        ),
    )


def load(source: Mapping[str, str]) -> Settings:
    """The settings in a mapping such as the environment.

    Raises:
        services.chassis.settings.SettingsError: names every fault at once.
    """
    reader = Reader(source, PREFIX)
    settings = read(reader)
    reader.done()
    if len(settings.master_key) != KEY_BYTES:
        raise SettingsError([f"{PREFIX}MASTER_KEY is wrong: set it to 64 hexadecimal digits"])
    return settings


def key_of(text: str) -> bytes:
    """The key that 64 hexadecimal digits give; nothing when they are none."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def of_folder(data: Path, **more: str) -> Settings:
    """The settings of a data folder; the environment wins over them, `more` over both.

    Raises:
        SettingsError: something of it is wrong.
        OSError: the folder cannot be written.
    """
    return load(folder.source(data, "alerts", PREFIX, more))


def of_environment() -> Settings:
    """The settings of a process that has no data folder.

    Raises:
        SettingsError: something is missing or wrong.
    """
    return load(environment())
