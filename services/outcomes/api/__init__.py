"""The EHR's door over HTTP: every route, its authority, and the one writer of problems."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Flask

from services.chassis.clock import Clock
from services.chassis.http import auth
from services.chassis.http.application import make
from services.chassis.http.health import Health
from services.chassis.ids import Ids
from services.chassis.metrics import Catalogue
from services.chassis.views import ViewStore
from services.outcomes.api import docs, episodes, instruments, measures, trajectories
from services.outcomes.api.authority import of_senders
from services.outcomes.api.fields import Calendar
from services.outcomes.api.problems import KINDS, TABLE
from services.outcomes.api.trajectories import MOST_HELD
from services.outcomes.core.instrument import Instrument
from services.outcomes.metrics import HELD
from services.outcomes.record import Record
from services.outcomes.senders import Senders
from services.outcomes.views.episodes import EpisodeReader
from services.outcomes.views.held import Held, counted


@dataclass(frozen=True, slots=True)
class Reading:
    """What the routes that only read are answered from."""

    episodes: EpisodeReader
    views: ViewStore
    held: Held
    ids: Ids


def create_app(
    record: Record,
    senders: Senders,
    reading: Reading,
    registry: Mapping[str, Instrument],
    *,
    clock: Clock,
    zone: ZoneInfo,
    health: Health,
    catalogue: Catalogue,
) -> Flask:
    """The door's application; made once, safe among threads.

    Args:
        record: takes what is posted.
        senders: knows whose a token is.
        reading: what is read back.
        registry: the instruments by id.
        clock: with `zone` says which dates are still to come.
        zone: the installation's.
        health: what /livez and /readyz ask.
        catalogue: where requests are counted.
    """
    app = make("outcomes", health, catalogue, TABLE)
    app.url_map.merge_slashes = False  # a reference may hold two in a row
    catalogue.read_from(HELD, lambda: counted(reading.views, reading.held, MOST_HELD))
    calendar, posting = Calendar(clock, zone), of_senders(senders)
    reads = trajectories.blueprint(
        record, reading.episodes, reading.views, reading.held, reading.ids
    )
    auth.register(app, measures.blueprint(record, calendar, catalogue), posting)
    auth.register(app, episodes.blueprint(record, calendar), posting)
    auth.register(app, reads, posting)
    auth.register(app, instruments.blueprint(registry), posting)
    auth.register(app, docs.blueprint(calendar, KINDS), auth.OPEN)
    return app
