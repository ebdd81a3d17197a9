"""The Flask application of the alerts service: its blueprints, each with its authority."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, g, make_response, render_template, request
from werkzeug.routing import BaseConverter

from services.alerts.core.language import gettext_noop
from services.alerts.desk import NotYoursError
from services.alerts.pages import (
    clinic,
    door,
    lessons,
    own,
    rules,
    session,
    supervision,
    templating,
    tools,
    with_client,
    words,
)
from services.alerts.pages.house import House
from services.alerts.writing import RefusedError
from services.chassis.faults import StoreError
from services.chassis.http import application, auth
from services.chassis.http.auth import Authority
from services.chassis.http.health import Health
from services.chassis.http.problem import Problem, Table, of_status
from services.chassis.metrics import Catalogue
from services.chassis.view import NotBuiltError

_HERE = Path(__file__).parent
_FOR_PROGRAMS = ("/v1/", "/livez", "/readyz", "/metrics")

PROBLEMS: Table = {
    NotYoursError: lambda _: of_status(404),
    RefusedError: lambda error: Problem(
        409, "refused", gettext_noop("That was not possible"), words.sentence(str(error))
    ),
    StoreError: lambda _: of_status(503),
    NotBuiltError: lambda _: Problem(
        503, "not-built", gettext_noop("The pages are being built"), words.NOT_BUILT
    ),
}
"""Which problem an exception of the service behind the pages is."""


class _Id(BaseConverter):
    """An id in an address: 32 hexadecimal digits, as everywhere in the documents."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        return UUID(value)

    def to_url(self, value: UUID | str) -> str:
        return value.hex if isinstance(value, UUID) else value


def create_app(
    house: House,
    watched: Health,
    catalogue: Catalogue,
    further: Sequence[tuple[Blueprint, Authority]] = (),
) -> Flask:
    """The pages as a WSGI application.

    Args:
        house: what the pages read and command.
        watched: loops and dependencies for the probes.
        catalogue: the metrics of the service.
        further: more blueprints, each with its authority, such as the inbox as JSON.
    """
    app = application.make(
        "services.alerts.pages",
        watched,
        catalogue,
        PROBLEMS,
        _problem_page,
        template_folder=str(_HERE / "templates"),
    )
    app.url_map.converters["id"] = _Id
    templating.install(app, house)
    for blueprint, authority in (
        (_static(), auth.OPEN),
        (door.blueprint(house), auth.OPEN),
        (clinic.hall(house), session.signed_in(house)),
        (clinic.blueprint(house), session.clinical(house)),
        (lessons.blueprint(house), session.clinical(house)),
        (own.blueprint(house), session.clinical(house)),
        (supervision.blueprint(house), session.clinical(house)),
        (rules.figures(house), session.stewards(house)),
        (rules.switch(house), session.supervisor(house)),
        (tools.blueprint(house), session.clinical(house)),
        (with_client.blueprint(house), session.clinical(house)),
        (door.engine_room(house), session.ops(house)),
        *further,
    ):
        auth.register(app, blueprint, authority)
    return app


def _static() -> Blueprint:
    return Blueprint(
        "static_files", __name__, static_folder=str(_HERE / "static"), static_url_path="/static"
    )


def _problem_page(problem: Problem) -> Response | None:
    """The problem as a page, for those who look at pages."""
    if request.path.startswith(_FOR_PROGRAMS) or not request.accept_mimetypes.accept_html:
        return None
    g.setdefault("person", None)  # whatever failed must not fail again here
    values: dict[str, Any] = {
        "title": words.PROBLEMS.get(problem.status, problem.title),
        "detail": words.DETAILS.get(problem.type, problem.detail),
    }
    response = make_response(render_template("problem.html", **values), problem.status)
    response.headers.extend(dict(problem.headers))
    return response
