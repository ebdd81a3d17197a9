"""Makes a Flask application as every service wants it: measured, limited and guarded."""

from typing import Any

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from services.chassis.http import headers, health, problem
from services.chassis.metrics import Catalogue

BODY_LIMIT = 1_000_000
"""Bytes of a request's body; more is a 413."""


def make(
    name: str,
    watched: health.Health,
    catalogue: Catalogue,
    table: problem.Table,
    page: problem.Page | None = None,
    **options: Any,
) -> Flask:
    """An application with probes, metrics, headers, a body limit and one writer of problems.

    `table` says which problem an exception is, `page` may render problems for browsers, `options`
    go to Flask. Blueprints are added with `auth.register`, which states their authority.
    """
    app = Flask(name, **{"static_folder": None, **options})
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["MAX_FORM_MEMORY_SIZE"] = BODY_LIMIT
    app.url_map.strict_slashes = False
    problem.install(app, table, page)
    health.install(app, watched, catalogue)
    app.before_request(_refuse_large)
    headers.install(app)
    return app


def _refuse_large() -> None:
    # Before the route: one that reads no body would otherwise take any.
    if (request.content_length or 0) > BODY_LIMIT:
        raise RequestEntityTooLarge
