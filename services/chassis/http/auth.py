"""Who may call a route: every blueprint is registered with its authority, "open" said aloud."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from services.chassis.http.problem import Problem, ProblemError

_KEY = "authorities"


@dataclass(frozen=True, slots=True)
class Authority:
    """Lets a request through by returning None; answers it, or raises, to refuse it."""

    name: str
    check: Callable[[], ResponseReturnValue | None]


def _anybody() -> None:
    return None


OPEN = Authority("open", _anybody)
"""For what anybody may see, nobody's data among it."""


def register(app: Flask, blueprint: Blueprint, authority: Authority, **options: Any) -> None:
    """Register `blueprint` so that each of its routes asks `authority` first."""
    if _KEY not in app.extensions:
        app.extensions[_KEY] = {}
        app.before_request(_ask)
    app.register_blueprint(blueprint, **options)
    app.extensions[_KEY][options.get("name", blueprint.name)] = authority


def authority_of(app: Flask, endpoint: str) -> Authority | None:
    """The authority that stands before an endpoint; None when nobody stated one."""
    stated: dict[str, Authority] = app.extensions.get(_KEY, {})
    return stated.get(endpoint.rpartition(".")[0])


def unstated(app: Flask) -> list[str]:
    """The routes without an authority; a test holds that there is none."""
    rules = app.url_map.iter_rules()
    return sorted(rule.rule for rule in rules if authority_of(app, rule.endpoint) is None)


def bearer_token() -> str:
    """The token in the request's Authorization header (RFC 6750).

    Raises:
        ProblemError: 401, when there is none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ProblemError(unauthorized())
    return token.strip()


def unauthorized() -> Problem:
    """The bare 401 that a missing, wrong and revoked token all get."""
    return Problem(
        401,
        "unauthorized",
        "Unauthorized",
        "Send a valid token: Authorization: Bearer TOKEN.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _ask() -> ResponseReturnValue | None:
    if request.endpoint is None:  # no such address: the 404 says nothing of who asks
        return None
    authority = authority_of(current_app, request.endpoint)
    if authority is None:  # a route that nobody answered for is not there
        raise NotFound
    return authority.check()
