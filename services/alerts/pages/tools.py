"""A clinician's toolkit, what it lacks, and what a team would like to learn."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from services.alerts.pages.catching_up import catch_up
from services.alerts.pages.house import House
from services.alerts.pages.session import person

LONGEST = 120
MOST = 60
"""Approaches that a toolkit or a list of wishes may have."""


def blueprint(house: House) -> Blueprint:
    """The routes behind the authority `clinical`."""
    routes = Blueprint("tools", __name__)
    routes.before_request(lambda: catch_up(house))

    @routes.get("/toolkit")
    def toolkit() -> ResponseReturnValue:
        gaps = house.reading.gaps(person())
        mine = person()
        wishable = house.approaches.offered(mine.wishes | {gap.approach for gap in gaps})
        return render_template(
            "toolkit.html",
            gaps=gaps,
            known=house.approaches.offered(mine.toolkit),
            wishable=[one for one in wishable if not house.approaches.holds(mine.toolkit, one)],
            person=mine,
            here="toolkit",
        )

    @routes.post("/toolkit")
    def state() -> ResponseReturnValue:
        trained = _chosen("trained") | _typed("trained-other")
        wished = _chosen("wish") | _typed("wish-other")
        wishes = {one for one in wished if not house.approaches.holds(trained, one)}
        house.own.toolkit(person(), trained, wishes, _chosen("share") & wishes)
        return redirect(url_for("tools.toolkit", done="toolkit"), 303)

    @routes.get("/training")
    def training() -> ResponseReturnValue:
        return render_template(
            "training.html", found=house.reading.training(person()), here="training"
        )

    return routes


def _chosen(name: str) -> set[str]:
    found = {one.strip() for one in request.form.getlist(name)} - {""}
    if len(found) > MOST or any(len(one) > LONGEST for one in found):
        raise BadRequest
    return found


def _typed(name: str) -> set[str]:
    """Approaches in the person's own words, separated by commas."""
    found = {one.strip() for one in request.form.get(name, "").split(",")} - {""}
    if len(found) > MOST or any(len(one) > LONGEST for one in found):
        raise BadRequest
    return found
