"""The routes by which the EHR tells of episodes: plan, approaches, events, sessions, ending."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from services.outcomes.api import body
from services.outcomes.api.answers import answered
from services.outcomes.api.authority import sender
from services.outcomes.api.fields import Calendar, reference
from services.outcomes.api.schemas import ApproachIn, CloseIn, EpisodeIn, FactIn, SessionIn
from services.outcomes.core import episode
from services.outcomes.core.telling import Begun, Closing, Fact, Session
from services.outcomes.formats import flat
from services.outcomes.record import Record, Told


def blueprint(record: Record, calendar: Calendar) -> Blueprint:
    """The routes under /v1/episodes that change something."""
    routes = Blueprint("episodes", __name__, url_prefix="/v1/episodes")
    announced, begun = EpisodeIn(calendar), ApproachIn(calendar)
    noted, held, ended = FactIn(calendar), SessionIn(calendar), CloseIn(calendar)
    episodes = record.episodes

    @routes.put("/<path:episode>")
    def announce(episode: str) -> Response:
        name, told = named(episode), flat.announcement(body.loaded(announced))
        done = episodes.tell(sender(), name, told)
        return _answer(done, of_episode(done.state))

    @routes.post("/<path:episode>/approach")
    def approach(episode: str) -> Response:
        name, told = named(episode), body.loaded(begun)
        done = episodes.tell(sender(), name, Begun(**told))
        return _answer(done, {"episode": name, **told})

    @routes.post("/<path:episode>/events")
    def event(episode: str) -> Response:
        name, told = named(episode), body.loaded(noted)
        done = episodes.tell(sender(), name, Fact(**told))
        return _answer(done, {"episode": name, **told})

    @routes.post("/<path:episode>/sessions")
    def session(episode: str) -> Response:
        name, told = named(episode), body.loaded(held)
        done = episodes.tell(sender(), name, Session(**told))
        return _answer(done, {"episode": name, **told})

    @routes.post("/<path:episode>/close")
    def close(episode: str) -> Response:
        name, told = named(episode), body.loaded(ended)
        done = episodes.tell(sender(), name, Closing(**told))
        return _answer(done, of_episode(done.state))

    return routes


def named(name: str) -> str:
    """The reference in an address.

    Raises:
        ValidationError: it cannot be one.
    """
    try:
        return reference(name)
    except ValidationError as error:
        raise ValidationError(error.messages, "episode") from None


def of_episode(state: episode.State) -> dict[str, Any]:
    """An episode as its sender is told of it."""
    told = episode.header(state)
    del told["sender"]
    return {
        "id": state.episode.hex,
        "episode": told.pop("reference"),
        "state": "closed" if state.closed else "open",
        **told,
        "approach": state.approach,
    }


def _answer(told: Told, document: dict[str, Any]) -> Response:
    return answered(document, 201 if told.new else 200)
