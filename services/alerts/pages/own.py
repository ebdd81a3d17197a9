"""What is a person's own: what they do not know, their journal, how sure they were."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from services.alerts.pages import calibration_chart, form
from services.alerts.pages.catching_up import catch_up
from services.alerts.pages.house import House
from services.alerts.pages.reflecting import choice_texts, to_episode, writable
from services.alerts.pages.session import person


def blueprint(house: House) -> Blueprint:
    """The routes behind the authority `clinical`; each shows the person's own alone."""
    routes = Blueprint("own", __name__)
    routes.before_request(lambda: catch_up(house))

    @routes.get("/unknowns")
    def unknowns() -> ResponseReturnValue:
        ledger = house.reading.ledger(person())
        return render_template("unknowns.html", ledger=ledger, here="unknowns")

    @routes.get("/journal")
    def journal() -> ResponseReturnValue:
        return _journal(house)

    @routes.post("/journal")
    def write() -> ResponseReturnValue:
        text = request.form.get("text", "").strip()
        if not text:
            return _journal(house, "empty"), 422
        if len(text) > form.LONGEST:
            return _journal(house, "long", text), 422
        position = house.commands.journal(person(), text)
        return redirect(url_for("own.journal", at=position, done="journal"), 303)

    @routes.get("/journal/calibration")
    def calibration() -> ResponseReturnValue:
        found = house.reading.calibration(person())
        return render_template(
            "calibration.html",
            found=found,
            drawing=calibration_chart.draw(found.bins),
            here="journal",
        )

    _add_rhythms(routes, house)
    return routes


def _add_rhythms(routes: Blueprint, house: House) -> None:
    """How often the person means to reflect."""

    @routes.post("/journal/regular")
    def every() -> ResponseReturnValue:
        position = house.own.every(person(), None, _weeks())
        return redirect(url_for("own.journal", at=position, done="regular"), 303)

    @routes.post("/episodes/<id:episode>/regular")
    def every_on(episode: UUID) -> ResponseReturnValue:
        writable(house, episode)
        position = house.own.every(person(), episode, _weeks())
        return to_episode(episode, position, "regular", "reflections")


def _weeks() -> int:
    text = request.form.get("weeks", "")
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise BadRequest
    return int(text)


def _journal(house: House, wrong: str = "", text: str = "") -> str:
    return render_template(
        "journal.html",
        entries=house.reading.journal(person()),
        notes=house.reading.own_parts(person()),
        rhythm=house.reading.rhythm(person()),
        choice_texts=choice_texts(house.lenses),
        wrong=wrong,
        text=text,
        here="journal",
    )
