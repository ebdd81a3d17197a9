"""The routes by which the EHR reads back: an episode with all that is known, and what is held."""

from typing import Any

from flask import Blueprint, Response

from services.chassis.ids import Ids
from services.chassis.view import NotBuiltError
from services.chassis.views import ViewStore
from services.outcomes.api.answers import address_of, answered
from services.outcomes.api.authority import sender
from services.outcomes.api.episodes import named
from services.outcomes.core import episode
from services.outcomes.record import Record
from services.outcomes.views import held
from services.outcomes.views.episodes import EpisodeReader

MOST_HELD = 1_000


def blueprint(
    record: Record, reader: EpisodeReader, views: ViewStore, waiting: held.Held, ids: Ids
) -> Blueprint:
    """The routes under /v1 that only read."""
    routes = Blueprint("trajectories", __name__, url_prefix="/v1")

    @routes.get("/episodes/<path:episode>")
    def everything(episode: str) -> Response:
        document, position = _read(named(episode))
        return answered({**of_document(document), "position": position})

    @routes.get("/episodes/<path:episode>/trajectories")
    def trajectories(episode: str) -> Response:
        document, position = _read(named(episode))
        return answered(
            {
                "id": document["id"],
                "episode": document["reference"],
                "trajectories": list(document["trajectories"].values()),
                "position": position,
            }
        )

    @routes.get("/held")
    def held_measures() -> Response:
        reader.caught_up(waiting)
        documents = held.of_sender(views, waiting, ids, sender(), MOST_HELD)
        shown = ("id", "external_id", "episode", "instrument", "administered_at", "why", "since")
        return answered(
            [
                {name: one[name] for name in shown} | {"see": address_of(one["external_id"])}
                for one in documents
            ]
        )

    def _read(name: str) -> tuple[dict[str, Any], int]:
        stream = record.episodes.id_of(sender(), name)
        document, position = reader.get(stream)
        if document is None:
            record.episodes.require(stream)  # says whether it is unknown or erased
            raise NotBuiltError("the view of episodes has not come so far yet")
        return document, position

    return routes


def of_document(document: dict[str, Any]) -> dict[str, Any]:
    """Everything known of an episode as its sender is told of it."""
    findings = list(document["findings"].values())
    header = {name: document[name] for name in (*episode.PLAN, "closed_on", "close_reason")}
    return {
        "id": document["id"],
        "episode": document["reference"],
        "announced": document["announced"],
        "state": "closed" if document["closed_on"] else "open",
        **header,
        "approaches": _by(document["approaches"], "since"),
        "sessions": _by(document["sessions"], "on"),
        "events": _by(document["facts"], "on"),
        "reflections": _by(document["reflections"], "on"),
        "measures": _by(document["measures"], "administered_at"),
        "trajectories": list(document["trajectories"].values()),
        "findings": findings,
        "forecasts": list(document["forecasts"].values()),
        "effects": list(document["effects"].values()),
        "silent_since": document["silent_since"],
    }


def _by(parts: dict[str, dict[str, Any]], date: str) -> list[dict[str, Any]]:
    return sorted(parts.values(), key=lambda part: str(part.get(date) or ""))
