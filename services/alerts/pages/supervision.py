"""The page of what is laid out for supervision: the supervisor's, and the clinician's own."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from services.alerts.pages.house import House
from services.alerts.pages.session import person


def blueprint(house: House) -> Blueprint:
    """The route behind `clinical`; whose courses they are, the read model decides."""
    routes = Blueprint("supervision", __name__)

    @routes.get("/supervision")
    def page() -> ResponseReturnValue:
        found = house.supervision.page(person(), house.now())
        return render_template("supervision.html", page=found, here="supervision")

    return routes
