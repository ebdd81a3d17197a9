"""Who asks: the session cookie, the authorities of the pages' routes, and the tokens of forms."""

import hmac
from hashlib import sha256

from flask import Response, g, redirect, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from services.alerts.core.language import gettext_noop
from services.alerts.core.person import Person
from services.alerts.pages.house import House
from services.chassis.http.auth import Authority
from services.chassis.http.problem import Problem, ProblemError
from services.chassis.ids import random_bytes

COOKIE = "pivotpoint_session"
FORM_COOKIE = "pivotpoint_form"
"""For forms before anybody is signed in."""
FIELD = "form_token"

_CLINICAL = ("clinician", "supervisor")

EXPIRED = Problem(
    400,
    "form-expired",
    gettext_noop("This form is out of date"),
    gettext_noop("Go back, load the page again and send the form once more. Nothing was changed."),
)
SIGNED_OUT = Problem(
    401,
    "signed-out",
    gettext_noop("You are not signed in"),
    gettext_noop(
        "Sign-in links work once and sessions end when they are idle. Ask whoever runs this "
        "service for a new link."
    ),
    headers={"WWW-Authenticate": "Link"},
)


def signed_in(house: House) -> Authority:
    """Lets everybody in who is signed in."""
    return Authority("signed in", lambda: _identify(house, None))


def clinical(house: House) -> Authority:
    """Lets clinicians and supervisors in; whose episode it is, the read models decide."""
    return Authority("clinician or supervisor", lambda: _identify(house, _CLINICAL))


def stewards(house: House) -> Authority:
    """Lets in who looks after the rules; no client is behind such a route."""
    return Authority("supervisor or ops", lambda: _identify(house, ("supervisor", "ops")))


def supervisor(house: House) -> Authority:
    """Lets supervisors in; whose courses they see, the read models decide."""
    return Authority("supervisor", lambda: _identify(house, ("supervisor",)))


def ops(house: House) -> Authority:
    """Lets those in who keep the service running; no client is behind such a route."""
    return Authority("ops", lambda: _identify(house, ("ops",)))


def _identify(house: House, roles: tuple[str, ...] | None) -> None:
    secret = request.cookies.get(COOKIE, "")
    person = house.entrance.session(secret) if secret else None
    if person is None or person.disabled:
        raise ProblemError(SIGNED_OUT)
    g.person, g.session = person, secret
    if roles is not None and person.role not in roles:
        raise NotFound
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        check_form(secret)


def person() -> Person:
    """Whoever is signed in; only behind an authority of this module."""
    found: Person = g.person
    return found


def maybe_person(house: House) -> Person | None:
    """Whoever is signed in, on pages that are open to all."""
    if "person" not in g:
        secret = request.cookies.get(COOKIE, "")
        g.person = house.entrance.session(secret) if secret else None
        g.session = secret
    found: Person | None = g.person
    return found


def form_token() -> str:
    """The token for a form of this session, bound to its secret."""
    return token_of(g.get("session") or g.get("form_secret", ""))


def token_of(secret: str) -> str:
    """The form token that goes with a session's or form cookie's secret."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()


def check_form(secret: str) -> None:
    """Refuse a form that did not come from a page of this session.

    Raises:
        ProblemError: 400; nothing was done.
    """
    sent = request.form.get(FIELD, "") or request.headers.get("X-Form-Token", "")
    if not secret or not hmac.compare_digest(sent.encode(), token_of(secret).encode()):
        raise ProblemError(EXPIRED)


def before_sign_in() -> str:
    """The secret of the form cookie, a fresh one when the browser brought none.

    Nobody is signed in on the page of a link, whatever session the browser still has: its form is
    bound to the form cookie alone.
    """
    secret = request.cookies.get(FORM_COOKIE) or random_bytes(24).hex()
    g.form_secret = secret
    g.person, g.session = None, ""
    return secret


def keep_form_cookie(response: Response, secret: str) -> Response:
    """Give the form cookie to the browser."""
    response.set_cookie(
        FORM_COOKIE, secret, httponly=True, samesite="Strict", secure=request.is_secure
    )
    return response


def begin(secret: str) -> AnyResponse:
    """Start a web session and go to the first page."""
    response = redirect(url_for("hall.inbox"), 303)
    response.set_cookie(COOKIE, secret, httponly=True, samesite="Lax", secure=request.is_secure)
    response.delete_cookie(FORM_COOKIE)
    return response


def finish() -> AnyResponse:
    """End a web session in the browser."""
    response = redirect(url_for("door.signed_out"), 303)
    response.delete_cookie(COOKIE)
    return response
