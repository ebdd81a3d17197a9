"""The clinicians' routes: inbox, episode, reflection, and what may be done about an alert."""

from datetime import date
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from services.alerts.core.policy import DISMISS_REASONS, RISK_DONE
from services.alerts.pages import form, reflecting, session, sifting, sparks
from services.alerts.pages.catching_up import catch_up
from services.alerts.pages.house import House
from services.alerts.pages.reflecting import writable
from services.alerts.pages.session import person
from services.alerts.people import WRITING
from services.alerts.views.course import EpisodePage


def blueprint(house: House) -> Blueprint:
    """The routes behind the authority `clinical`."""
    routes = Blueprint("clinic", __name__)

    routes.before_request(lambda: catch_up(house))
    _add_readings(routes, house)
    reflecting.add(routes, house)
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
        rhythm = house.reading.rhythm(person(), episode)
        parts = reflecting.parts(house, page, reflecting.started(house, page))
        return render_template("episode.html", rhythm=rhythm, **parts)


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
        writable(house, episode)
        position = house.commands.snooze(person(), episode, alert, _until())
        return _back(episode, position, "snoozed")

    @routes.post("/episodes/<id:episode>/alerts/<id:alert>/dismiss")
    def dismiss(episode: UUID, alert: UUID) -> ResponseReturnValue:
        writable(house, episode)
        reason = _one_of("reason", DISMISS_REASONS)
        position = house.commands.dismiss(person(), episode, alert, reason)
        return _back(episode, position, "dismissed")

    @routes.post("/episodes/<id:episode>/reflections/<id:reflection>/unknowns/<unknown>")
    def find_out(episode: UUID, reflection: UUID, unknown: str) -> ResponseReturnValue:
        how = _text("how")
        position = house.commands.find_out(person(), episode, reflection, unknown, how)
        return reflecting.to_episode(episode, position, "found")


def hall(house: House) -> Blueprint:
    """The routes behind the authority `signed_in`: the first page, and the way out."""
    routes = Blueprint("hall", __name__)

    @routes.get("/")
    def inbox() -> ResponseReturnValue:
        if person().role == "ops":
            return redirect(url_for("engine_room.status"), 303)
        catch_up(house)
        return _inbox(house)

    @routes.post("/")
    def find() -> ResponseReturnValue:
        if person().role == "ops":
            raise NotFound
        return _inbox(house)

    @routes.post("/signout")
    def sign_out() -> ResponseReturnValue:
        house.entrance.close_session(request.cookies.get(session.COOKIE, ""))
        return session.finish()

    return routes


def _inbox(house: House) -> str:
    """The inbox, or what was chosen of it; words of a client come by POST, never in an address."""
    page = house.reading.inbox(person())
    sieve = sifting.read(request.args, request.form)
    return render_template(
        "inbox.html",
        page=page,
        sifted=sifting.sift(page.rows, sieve, house.today()),
        sparks={row.episode: sparks.spark(row) for row in page.rows},
        reminders=house.reading.reminders(person()),
        here="inbox",
    )


def _mark_seen(house: House, page: EpisodePage, episode: UUID) -> None:
    """Reading is noted, for what stays unread is told to somebody else."""
    mine = page.access in WRITING
    if mine and any(line.seen_at is None for line in page.alerts):
        house.commands.seen(person(), episode)


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
    return reflecting.to_episode(episode, position, done)
