"""The clinicians' routes: inbox, episode, reflection, and what may be done about an alert."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from services.alerts.core.policy import DISMISS_REASONS, RISK, RISK_DONE
from services.alerts.core.reflection import BEYOND, REASONS
from services.alerts.pages import form, session, sparks, words
from services.alerts.pages.house import House
from services.alerts.pages.session import person
from services.alerts.pages.story import tell
from services.alerts.views.course import EpisodePage
from services.alerts.writing import RefusedError
from services.chassis.http.problem import Problem, ProblemError
from services.chassis.ids import fresh_id

WAIT_S = 1.0
"""How long a page waits for the views to show what was just done."""
READ_ONLY = Problem(
    403,
    "read-only",
    "You may read this, not write here",
    "Reflecting, putting off and dismissing are for the client’s clinician, or whoever stands in. "
    "A risk answer may be acknowledged by everybody who sees it.",
)

_CHOICES = (
    ("pivot", "pivot", "Pivot"),
    ("stay", "stay", "Stay, because"),
    ("consult", "consult", "Consult"),
    ("end well", "end", "End well"),
)
_SHAREABLE = (
    ("expectation", "Expectation"),
    ("assumption", "Assumption"),
    ("unknowns", "Unknowns"),
    ("client_view", "The client’s view"),
    ("pattern", "Pattern"),
    ("reason", "Reason"),
)
_FIELD_IDS = {"decision": "decision-pivot"}


def blueprint(house: House) -> Blueprint:
    """The routes behind the authority `clinical`."""
    routes = Blueprint("clinic", __name__)

    routes.before_request(lambda: _catch_up(house))
    _add_readings(routes, house)
    _add_answers(routes, house)
    return routes


def _add_readings(routes: Blueprint, house: House) -> None:
    """What may be looked at, and the reflection."""

    @routes.get("/clients")
    def clients() -> ResponseReturnValue:
        lines = house.reading.clients(person())
        return render_template("clients.html", lines=lines, here="clients")

    @routes.get("/episodes/<id:episode>")
    def episode(episode: UUID) -> ResponseReturnValue:
        page = house.reading.episode(person(), episode)
        _mark_seen(house, page, episode)
        return _show(house, page, form.Draft())

    @routes.get("/episodes/<id:episode>/reflect")
    def reflect(episode: UUID) -> ResponseReturnValue:
        page = _writable(house, episode)
        return _show(house, page, form.Draft(), "reflect.html")

    @routes.post("/episodes/<id:episode>/reflect")
    def record(episode: UUID) -> ResponseReturnValue:
        return _record(house, episode)


def _add_answers(routes: Blueprint, house: House) -> None:
    """What may be done about one alert or one unknown."""

    @routes.post("/episodes/<id:episode>/alerts/<id:alert>/acknowledge")
    def acknowledge(episode: UUID, alert: UUID) -> ResponseReturnValue:
        page = house.reading.episode(person(), episode)
        done, note, to = _one_of("done", RISK_DONE), _text("note"), _text("to")
        position = house.commands.acknowledge(person(), episode, alert, done, note, to)
        if page.access in ("backup", "unassigned"):  # who sees it no longer once it is answered
            return redirect(url_for("hall.inbox", at=position, done="acknowledged"), 303)
        return _back(episode, position, "acknowledged")

    @routes.post("/episodes/<id:episode>/alerts/<id:alert>/snooze")
    def snooze(episode: UUID, alert: UUID) -> ResponseReturnValue:
        _writable(house, episode)
        position = house.commands.snooze(person(), episode, alert, _until())
        return _back(episode, position, "snoozed")

    @routes.post("/episodes/<id:episode>/alerts/<id:alert>/dismiss")
    def dismiss(episode: UUID, alert: UUID) -> ResponseReturnValue:
        _writable(house, episode)
        reason = _one_of("reason", DISMISS_REASONS)
        position = house.commands.dismiss(person(), episode, alert, reason)
        return _back(episode, position, "dismissed")

    @routes.post("/episodes/<id:episode>/reflections/<id:reflection>/unknowns/<unknown>")
    def find_out(episode: UUID, reflection: UUID, unknown: str) -> ResponseReturnValue:
        how = _text("how")
        position = house.commands.find_out(person(), episode, reflection, unknown, how)
        return _to_episode(episode, position, "found")


def hall(house: House) -> Blueprint:
    """The routes behind the authority `signed_in`: the first page, and the way out."""
    routes = Blueprint("hall", __name__)

    @routes.get("/")
    def inbox() -> ResponseReturnValue:
        if person().role == "ops":
            return redirect(url_for("engine_room.status"), 303)
        _catch_up(house)
        page = house.reading.inbox(person())
        pictures = {row.episode: sparks.spark(row) for row in page.rows}
        return render_template("inbox.html", page=page, sparks=pictures, here="inbox")

    @routes.post("/signout")
    def sign_out() -> ResponseReturnValue:
        house.entrance.close_session(request.cookies.get(session.COOKIE, ""))
        return session.finish()

    return routes


def _catch_up(house: House) -> None:
    """Wait for the views to show what the person has just done."""
    position = request.args.get("at", "")
    if position.isascii() and position.isdigit() and len(position) < 19:
        g.late = not house.reading.wait(int(position), WAIT_S)


def _mark_seen(house: House, page: EpisodePage, episode: UUID) -> None:
    """Reading is noted, for what stays unread is told to somebody else."""
    mine = page.access in ("own", "cover")
    if mine and any(line.seen_at is None for line in page.alerts):
        house.commands.seen(person(), episode)


def _writable(house: House, episode: UUID) -> EpisodePage:
    page = house.reading.episode(person(), episode)
    if not page.may_write:
        raise ProblemError(READ_ONLY)
    return page


def _show(
    house: House, page: EpisodePage, draft: form.Draft, template: str = "episode.html"
) -> str:
    show = request.args.get("show", type=int)
    course: dict[str, Any] = page.document
    known = {str(approach["approach"]) for approach in course["approaches"]}
    return render_template(
        template,
        page=page,
        story=tell(page, house.today(), show),
        draft=draft,
        new_key=fresh_id().hex,
        prompts=form.prompts(house.lenses),
        lenses=house.lenses,
        unknown_reasons=REASONS,
        free_unknowns=form.FREE_UNKNOWNS,
        decision_choices=_CHOICES,
        shareable=_SHAREABLE,
        beyond=BEYOND,
        approaches=sorted({*person().toolkit, *house.approaches} - known),
        field_ids=_FIELD_IDS,
        here="episode",
    )


def _record(house: House, episode: UUID) -> ResponseReturnValue:
    page = _writable(house, episode)
    offered = form.prompts(house.lenses)
    answerable = frozenset(line.alert for line in page.alerts if line.channel != RISK)
    draft, filled = form.read(request.form, offered, answerable, person().toolkit, house.today())
    if filled is None:
        return _show(house, page, draft, "reflect.html"), 422
    try:
        reflection, position = house.commands.reflect(person(), episode, filled)
    except RefusedError as refused:
        draft.errors["decision"] = words.sentence(str(refused))
        return _show(house, page, draft, "reflect.html"), 422
    return _to_episode(episode, position, "reflected", f"reflection-{reflection.hex}")


def _one_of(name: str, offered: tuple[str, ...]) -> str:
    value = request.form.get(name, "")
    if value not in offered:
        raise BadRequest
    return value


def _text(name: str) -> str:
    text = request.form.get(name, "").strip()
    if len(text) > form.LONGEST:
        raise BadRequest
    return text


def _until() -> date | None:
    text = request.form.get("until", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadRequest from None


def _back(episode: UUID, position: int, done: str) -> ResponseReturnValue:
    if request.form.get("back") == "inbox":
        return redirect(url_for("hall.inbox", at=position, done=done), 303)
    return _to_episode(episode, position, done)


def _to_episode(
    episode: UUID, position: int, done: str, anchor: str | None = None
) -> ResponseReturnValue:
    address = url_for("clinic.episode", episode=episode, at=position, done=done, _anchor=anchor)
    return redirect(address, 303)
