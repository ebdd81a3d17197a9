"""The pages that look across courses: patterns in errors, and pivots with what followed them."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from services.alerts.core import pattern, pivot, shrinkage
from services.alerts.pages import words
from services.alerts.pages.house import House
from services.alerts.pages.reflecting import choice_texts
from services.alerts.pages.session import person


def blueprint(house: House) -> Blueprint:
    """The routes behind `clinical`; whose courses they are, the read model decides."""
    routes = Blueprint("lessons", __name__)

    @routes.get("/patterns")
    def patterns() -> ResponseReturnValue:
        scopes, scope = _scope(house)
        found = house.lessons.patterns(person(), scope, house.now()) if scope else None
        return render_template(
            "patterns.html",
            found=found,
            scopes=scopes,
            scope=scope,
            lens_titles={one.name: one.title for one in house.lenses},
            choice_texts=choice_texts(house.lenses),
            smallest=pattern.SMALLEST,
            apart=pattern.APART,
            team_of=pattern.TEAM_OF,
            beside=(int(shrinkage.WEAKEST), int(shrinkage.STRONGEST)),
            percent=words.percent,
            here="patterns",
        )

    @routes.get("/pivots")
    def pivots() -> ResponseReturnValue:
        scopes, scope = _scope(house)
        found, elsewhere = (
            house.lessons.pivots(person(), scope, house.now()) if scope else ([], None)
        )
        return render_template(
            "pivots.html",
            found=found,
            elsewhere=elsewhere,
            effects=house.reading.effects() if elsewhere else [],
            scopes=scopes,
            scope=scope,
            endings_needed=pivot.ENDINGS,
            told_after=int(pivot.TOLD_AFTER_WEEKS),
            smallest=pattern.SMALLEST,
            verdicts=words.VERDICTS,
            effect_open=words.effect_open,
            forecast_sentence=words.forecast_sentence,
            percent=words.percent,
            here="pivots",
        )

    return routes


def _scope(house: House) -> tuple[tuple[str, ...], str | None]:
    """Whose courses there are to look across, and whose are asked for; the first when none is."""
    scopes = house.lessons.scopes(person(), house.now())
    asked = request.args.get("of")
    if asked is not None and asked not in scopes:
        raise NotFound
    return scopes, asked or (scopes[0] if scopes else None)
