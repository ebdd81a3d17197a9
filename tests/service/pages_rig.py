"""The pages over the real store, views, desk and sign-in: a browser without a browser."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from services.alerts import api
from services.alerts.core import lens
from services.alerts.pages import House, clinical, create_app, person, session
from services.alerts.pages.reading import Views
from services.alerts.views.supervision import Supervision
from services.alerts.wiring import HERE
from services.chassis.http.health import Health
from tests.service.alerts_rig import Rig


class CaughtUp(Views):
    """The views, brought up to date by whoever waits for them instead of by a follower."""

    rig: Rig

    def wait(self, position: int, timeout: float) -> bool:
        self.rig.show()
        return super().wait(position, timeout)


def reading_of(rig: Rig) -> Views:
    """The reading side of a rig."""
    views = CaughtUp(
        store=rig.store.views,
        inboxes=rig.inbox,
        courses=rig.courses,
        caseload=rig.caseload,
        journals=rig.journals,
        reflections=rig.reflections,
        rhythms=rig.rhythms,
        sayings=rig.sayings,
        approaches=rig.approaches,
        path=rig.watch.path,
        clock=rig.clock,
        followers=(),
        parking=rig.store.parking,
    )
    views.rig = rig
    return views


def app_of(rig: Rig, **parts: Any) -> Flask:
    """The application over a rig."""
    given: dict[str, Any] = {
        "reading": reading_of(rig),
        "commands": rig.desk,
        "entrance": rig.signin,
        "own": rig.own,
        "together": rig.together,
        "lessons": rig.lessons,
        "quality": rig.quality,
        "rules": rig.rules,
        "supervision": Supervision(rig.inbox, rig.lessons),
        "now": rig.clock.now,
        "zone": rig.settings.policy.zone,
        "lenses": lens.load(HERE / "lenses"),
        "approaches": rig.approaches,
        "risk_policy": "shared drive, Risk",
        **parts,
    }
    house = House(**given)
    programs = api.blueprint(lambda: house.reading.inbox(person()))
    further = [(programs, clinical(house))]
    return create_app(house, Health(rig.catalogue), rig.catalogue, further)


class Browser:
    """Somebody at the pages; nobody until signed in."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.secret = ""

    def sign_in(self, rig: Rig, name: str) -> "Browser":
        """Come in by a link, as a person does."""
        link = f"/signin/{rig.signin.invite(name)}"
        self.client.get(link)
        answer = self.client.post(link, data={session.FIELD: self.form_token()})
        assert answer.status_code == 303, answer.text
        cookie = self.client.get_cookie(session.COOKIE)
        assert cookie is not None
        self.secret = cookie.value
        return self

    def form_token(self) -> str:
        """The token of a form before anybody is signed in."""
        cookie = self.client.get_cookie(session.FORM_COOKIE)
        return session.token_of(cookie.value) if cookie else ""

    def get(self, address: str) -> Any:
        """Look at a page."""
        return self.client.get(address, headers={"Accept": "text/html"})

    def post(self, address: str, token: str | None = None, **fields: Any) -> Any:
        """Send a form, with the token of this session unless another is given."""
        given = session.token_of(self.secret) if token is None else token
        return self.client.post(
            address, data={session.FIELD: given, **fields}, headers={"Accept": "text/html"}
        )
