"""The page of alert quality per rule, and the switch that retires one; no client is on it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from services.alerts.core.policy import CHANNEL_ORDER
from services.alerts.pages.house import House
from services.alerts.pages.session import person

LONGEST = 400


def figures(house: House) -> Blueprint:
    """The route behind `stewards`."""
    routes = Blueprint("figures", __name__)

    @routes.get("/rules")
    def rules() -> ResponseReturnValue:
        return render_template(
            "rules.html",
            figures=house.quality.figures(house.now()),
            may_switch=person().role == "supervisor",
            here="rules",
        )

    return routes


def switch(house: House) -> Blueprint:
    """The routes behind `supervisor`."""
    routes = Blueprint("switch", __name__)

    @routes.post("/rules/<channel>/retire")
    def retire(channel: str) -> ResponseReturnValue:
        house.rules.retire(person(), _known(channel), _why())
        return redirect(url_for("figures.rules", done="retired"), 303)

    @routes.post("/rules/<channel>/reinstate")
    def reinstate(channel: str) -> ResponseReturnValue:
        house.rules.reinstate(person(), _known(channel), _why())
        return redirect(url_for("figures.rules", done="reinstated"), 303)

    return routes


def _known(channel: str) -> str:
    if channel not in CHANNEL_ORDER:
        raise NotFound
    return channel


def _why() -> str:
    text = request.form.get("why", "").strip()
    if len(text) > LONGEST:
        raise BadRequest
    return text
