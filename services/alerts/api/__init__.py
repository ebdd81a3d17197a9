"""The alerts service for programs: the inbox of whoever is signed in, as JSON."""

from collections.abc import Callable
from dataclasses import asdict

import orjson
from flask import Blueprint, Response

from services.alerts.views.inbox_rows import InboxPage


def blueprint(inbox: Callable[[], InboxPage]) -> Blueprint:
    """The routes; register them with the authority of the clinicians' pages.

    Args:
        inbox: gives the inbox of the person who is signed in.
    """
    routes = Blueprint("programs", __name__)

    @routes.get("/v1/inbox")
    def show() -> Response:
        return Response(orjson.dumps(asdict(inbox())), content_type="application/json")

    return routes
