"""The routes that anybody may call: signing in by a single-use link, and what this product is."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from services.alerts.pages import session
from services.alerts.pages.house import House


def blueprint(house: House) -> Blueprint:
    """The open routes; no client is behind any of them."""
    routes = Blueprint("door", __name__)

    @routes.get("/signin/<link>")
    def sign_in(link: str) -> ResponseReturnValue:
        # Mail scanners follow links: nothing is used up before the button is pressed.
        secret = session.before_sign_in()
        response = make_response(render_template("signin.html", stale=False))
        return session.keep_form_cookie(response, secret)

    @routes.post("/signin/<link>")
    def redeem(link: str) -> ResponseReturnValue:
        session.check_form(request.cookies.get(session.FORM_COOKIE, ""))
        found = house.entrance.redeem(link)
        if found is None:
            session.before_sign_in()
            return render_template("signin.html", stale=True), 410
        return session.begin(house.entrance.open_session(found))

    @routes.get("/signed-out")
    def signed_out() -> ResponseReturnValue:
        return render_template("signed_out.html", was_in=True)

    @routes.get("/about")
    def about() -> ResponseReturnValue:
        return render_template("about.html", here="about")

    return routes


def engine_room(house: House) -> Blueprint:
    """The operators' page."""
    routes = Blueprint("engine_room", __name__)

    @routes.get("/status")
    def status() -> ResponseReturnValue:
        return render_template(
            "status.html",
            operations=house.reading.operations(),
            risk=house.reading.risk_path(),
            here="status",
        )

    return routes
