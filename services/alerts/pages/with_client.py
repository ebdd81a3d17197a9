"""The page for clinician and client together: plain words, own answers, open questions."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from services.alerts.pages import form, plain_chart
from services.alerts.pages.catching_up import catch_up
from services.alerts.pages.house import House
from services.alerts.pages.reflecting import to_episode, writable
from services.alerts.pages.session import person
from services.alerts.pages.story import tell
from services.alerts.views.course import EpisodePage

FIELDS = ("view", "preference", "unnoticed")


def blueprint(house: House) -> Blueprint:
    """The routes behind the authority `clinical`, for the client's own clinician alone."""
    routes = Blueprint("with_client", __name__)
    routes.before_request(lambda: catch_up(house))

    @routes.get("/episodes/<id:episode>/together")
    def together(episode: UUID) -> ResponseReturnValue:
        page = writable(house, episode)
        return render_template("together.html", **_parts(house, page))

    @routes.post("/episodes/<id:episode>/together")
    def said(episode: UUID) -> ResponseReturnValue:
        page = writable(house, episode)
        typed = {name: request.form.get(name, "").strip() for name in FIELDS}
        wrong = _wrong(typed)
        if wrong:
            parts = _parts(house, page)
            return render_template("together.html", **parts, wrong=wrong, typed=typed), 422
        position = house.together.said(person(), episode, **typed)
        return to_episode(episode, position, "said", "reflect")

    return routes


def _wrong(typed: dict[str, str]) -> str:
    if not any(typed.values()):
        return "empty"
    return "long" if any(len(text) > form.LONGEST for text in typed.values()) else ""


def _parts(house: House, page: EpisodePage) -> dict[str, Any]:
    story = tell(page, house.today(), request.args.get("track", type=int))
    track = page.document["trajectories"][story.chosen.key] if story.chosen else None
    begun = [
        (approach["since"][:10], str(approach["approach"]))
        for approach in page.document["approaches"][1:]
    ]
    return {
        "page": page,
        "broad": plain_chart.draw(track, begun, plain_chart.BROAD) if track else None,
        "narrow": plain_chart.draw(track, begun, plain_chart.NARROW) if track else None,
        "sentence": plain_chart.sentence(track) if track else "",
        "chance": plain_chart.chance(track) if track else "",
        "answers": plain_chart.answers(track) if track else [],
        "ticked": _ticked(page),
        "here": "episode",
    }


def _ticked(page: EpisodePage) -> list[dict[str, Any]]:
    """The unknowns that the clinician chose to show; none of itself."""
    wanted = set(request.args.getlist("show"))
    return [one for one in page.unknowns if f"{one['reflection']}.{one['unknown']}" in wanted]
