"""The reflection page: a new one with or without an alert, and one's own, revised."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from services.alerts.core import lens
from services.alerts.core.language import gettext_noop
from services.alerts.core.policy import RISK
from services.alerts.core.reflection import BEYOND, REASONS
from services.alerts.pages import form, words
from services.alerts.pages.house import House
from services.alerts.pages.session import person
from services.alerts.pages.story import tell
from services.alerts.views.course import EpisodePage
from services.alerts.writing import RefusedError
from services.chassis.http.problem import Problem, ProblemError
from services.chassis.ids import fresh_id

READ_ONLY = Problem(
    403,
    "read-only",
    gettext_noop("You may read this, not write here"),
    gettext_noop(
        "Reflecting, putting off and dismissing are for the client’s clinician, or whoever stands "
        "in. A risk answer may be acknowledged by everybody who sees it."
    ),
)

_CHOICES = (
    ("pivot", "pivot", gettext_noop("Pivot")),
    ("stay", "stay", gettext_noop("Stay, because")),
    ("consult", "consult", gettext_noop("Consult")),
    ("end well", "end", gettext_noop("End well")),
)
_SHAREABLE = (
    ("expectation", gettext_noop("Expectation")),
    ("assumption", gettext_noop("Assumption")),
    ("unknowns", gettext_noop("Unknowns")),
    ("lenses", gettext_noop("What lenses showed")),
    ("client_view", gettext_noop("The client’s view and preference")),
    ("pattern", gettext_noop("Pattern")),
    ("reason", gettext_noop("Reason")),
)
_FIELD_IDS = {"decision": "decision-pivot"}
_KEPT = ("decision", "approach", "beyond")
"""What a revision takes from the record, whatever is sent."""
_REVISED = ("expectation", "assumption", "client_view", "preference", "pattern", "reason")


def add(routes: Blueprint, house: House) -> None:
    """The routes of reflecting, for the clinicians' blueprint."""

    @routes.get("/episodes/<id:episode>/reflect")
    def reflect(episode: UUID) -> ResponseReturnValue:
        page = writable(house, episode)
        return render_template("reflect.html", **parts(house, page, started(house, page)))

    @routes.post("/episodes/<id:episode>/reflect")
    def record(episode: UUID) -> ResponseReturnValue:
        return _record(house, episode)

    @routes.get("/episodes/<id:episode>/reflections/<id:reflection>/revise")
    def revise(episode: UUID, reflection: UUID) -> ResponseReturnValue:
        page = writable(house, episode)
        one = _own(page, reflection)
        draft = _draft_of(one, page.private.get(one["reflection"], {}))
        return render_template("reflect.html", **parts(house, page, draft, one))

    @routes.post("/episodes/<id:episode>/reflections/<id:reflection>/revise")
    def revised(episode: UUID, reflection: UUID) -> ResponseReturnValue:
        return _revise(house, episode, reflection)


def writable(house: House, episode: UUID) -> EpisodePage:
    """The page of an episode whose clinician asks, or who stands in.

    Raises:
        ProblemError: 403; the person may read it alone.
        services.alerts.desk.NotYoursError: unknown, or not this person's.
    """
    page = house.reading.episode(person(), episode)
    if not page.may_write:
        raise ProblemError(READ_ONLY)
    return page


def to_episode(
    episode: UUID, position: int, done: str, anchor: str | None = None
) -> ResponseReturnValue:
    """Back to the page of the episode, which waits for what was just done."""
    address = url_for("clinic.episode", episode=episode, at=position, done=done, _anchor=anchor)
    return redirect(address, 303)


def started(house: House, page: EpisodePage) -> form.Draft:
    """The form with what the client said to this person since they last reflected on the course."""
    mine = [one["at"] for one in page.document["reflections"] if one["author"] == person().id.hex]
    last = max(mine, default="")
    said = house.reading.said(person(), UUID(page.episode))
    if not said or said[0]["at"] <= last:
        return form.Draft()
    view = "\n".join(text for text in (said[0]["view"], said[0]["unnoticed"]) if text)
    return form.Draft({"client_view": view, "preference": said[0]["preference"]})


def parts(
    house: House,
    page: EpisodePage,
    draft: form.Draft,
    revising: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the templates of an episode and of a reflection on it are filled with."""
    course: dict[str, Any] = page.document
    here = [str(one["approach"]) for one in course["approaches"]]
    offered = house.approaches.offered(person().toolkit)
    return {
        "page": page,
        "story": tell(
            page,
            house.today(),
            request.args.get("show", type=int),
            house.reading.statistics,
        ),
        "draft": draft,
        "new_key": fresh_id().hex,
        "sheet": _sheet(house, page, draft, revising),
        "lens_titles": {one.name: one.title for one in house.lenses},
        "choice_texts": choice_texts(house.lenses),
        "revising": revising,
        "unknown_reasons": REASONS,
        "decision_choices": _CHOICES,
        "shareable": _SHAREABLE,
        "beyond": BEYOND,
        "approaches": [name for name in offered if not house.approaches.holds(here, name)],
        "field_ids": _FIELD_IDS,
        "here": "episode",
    }


def choice_texts(lenses: Sequence[lens.Lens]) -> dict[tuple[str, str], str]:
    """Lens and id of each choice to its words."""
    return {(one.name, choice.id): choice.text for one in lenses for choice in one.choices}


def _sheet(
    house: House, page: EpisodePage, draft: form.Draft, revising: Mapping[str, Any] | None
) -> form.Sheet:
    alerts = [line for line in page.alerts if line.channel != RISK]
    offer = lens.offer(
        house.lenses,
        [line.channel for line in alerts],
        page.document.get("problem") or "",
        [*draft.chosen.get("opened", ()), *draft.chosen.get("open", ())],
    )
    return form.Sheet(
        offer=offer,
        answerable=frozenset(line.alert for line in alerts),
        open_unknowns=page.unknowns if revising is None else (),
        unknown_ids=tuple(one["unknown"] for one in revising["unknowns"]) if revising else (),
        toolkit=frozenset() if revising else person().toolkit,  # asked on the day, not again
        approaches=house.approaches,
        today=house.today(),
        revises=revising is not None,
    )


def _record(house: House, episode: UUID) -> ResponseReturnValue:
    page = writable(house, episode)
    draft = form.draft_of(request.form)
    if draft.value("open"):  # a lens that is opened by hand; nothing is recorded yet
        return render_template("reflect.html", **parts(house, page, draft))
    draft, filled = form.read(request.form, _sheet(house, page, draft, None))
    if filled is None:
        return render_template("reflect.html", **parts(house, page, draft)), 422
    try:
        reflection, position = house.commands.reflect(person(), episode, filled)
    except RefusedError as refused:
        draft.errors["decision"] = words.sentence(str(refused))
        return render_template("reflect.html", **parts(house, page, draft)), 422
    return to_episode(episode, position, "reflected", f"reflection-{reflection.hex}")


# One's own, revised


def _own(page: EpisodePage, reflection: UUID) -> dict[str, Any]:
    """The person's own reflection; anybody else's is as good as none."""
    for one in page.document["reflections"]:
        if one["reflection"] == reflection.hex and one["author"] == person().id.hex:
            found: dict[str, Any] = one
            return found
    raise NotFound


def _revise(house: House, episode: UUID, reflection: UUID) -> ResponseReturnValue:
    page = writable(house, episode)
    one = _own(page, reflection)
    typed = MultiDict(request.form)
    for name in _KEPT:
        typed[name] = one[name]
    draft = form.draft_of(typed)
    if draft.value("open"):
        return render_template("reflect.html", **parts(house, page, draft, one))
    draft, filled = form.read(typed, _sheet(house, page, draft, one))
    if filled is None:
        return render_template("reflect.html", **parts(house, page, draft, one)), 422
    position = house.commands.revise(person(), episode, reflection, filled)
    return to_episode(episode, position, "revised", f"reflection-{reflection.hex}")


def _draft_of(one: Mapping[str, Any], own: Mapping[str, Any]) -> form.Draft:
    """The form as it would have been filled in for a reflection as it stands."""
    values = {name: one[name] for name in _REVISED}
    values["own_part"] = own.get("own_part", "")
    for row, unknown in enumerate(one["unknowns"]):
        values |= {
            f"what-{row}": unknown["what"],
            f"free-why-{row}": unknown["why"],
            f"who-{row}": unknown["who"],
            f"find-{row}": unknown["find"],
        }
    choices = {**one["choices"], **own.get("choices", {})}
    chosen = {
        "lens": one["lenses"],
        "opened": [*one["lenses"], *choices],
        "choice": [f"{name}:{id_}" for name, ids in choices.items() for id_ in ids],
        "shared": one["shared"],
        "decision": [one["decision"]],
    }
    return form.Draft(values | {"decision": one["decision"]}, chosen)
