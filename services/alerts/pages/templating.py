"""What every template can use: gettext, words about data, the form token, and who is looking."""

from typing import Any

from flask import Flask, g, request
from markupsafe import Markup

from services.alerts.core import labels, language
from services.alerts.core.language import gettext, gettext_noop
from services.alerts.core.policy import DISMISS_REASONS, RISK_DONE
from services.alerts.pages import session, words
from services.alerts.pages.house import House

ACCESSES = {
    "own": gettext_noop("yours"),
    "cover": gettext_noop("you stand in"),
    "supervise": gettext_noop("you supervise"),
    "backup": gettext_noop("you are the backup"),
    "unassigned": gettext_noop("no present clinician is known"),
}
STANDS = {
    "in the inbox": (gettext_noop("In the inbox"), "worse"),
    "snoozed": (gettext_noop("Put off"), "plain"),
    "waiting": (gettext_noop("Waiting"), "plain"),
    "unknown": (gettext_noop("Unknown"), "unknown"),
    "nothing flagged": (gettext_noop("Nothing flagged"), "plain"),
    "closed": (gettext_noop("Closed"), "plain"),
}
"""How a course stands to the words and the tone of its tag."""
RISK_STATES = {
    "endorsed": gettext_noop("endorsed"),
    "not endorsed": gettext_noop("not endorsed"),
    "unanswered": gettext_noop("unanswered"),
    "not received": gettext_noop("not received"),
}
ROLES = {
    "clinician": gettext_noop("clinician"),
    "supervisor": gettext_noop("supervisor"),
    "ops": gettext_noop("ops"),
}
DECISIONS = {
    "pivot": gettext_noop("pivot"),
    "stay": gettext_noop("stay the course"),
    "consult": gettext_noop("consult"),
    "end well": gettext_noop("end well"),
}
STALE_S = 60.0


def install(app: Flask, house: House) -> None:
    """Give the templates of `app` their filters and what is the same on every page."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # What the extension adds to an environment is known to nobody's types.
    getattr(app.jinja_env, "install_gettext_callables")(  # noqa: B009
        language.gettext, language.ngettext, newstyle=True
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        day=lambda text: words.day(text, house.today().year),
        moment=lambda text: words.moment(text, house.zone, house.now()),
        number=words.number,
        percent=words.percent,
        number2=lambda value: f"{float(value):.4g}",
        lasting=words.lasting,
        model_number=words.model_number,
        place=lambda value: f"{value:.1f}",
        sentence=words.sentence,
        capital=language.capital,
        translated=language.gettext,
        weeks=words.weeks,
        label=labels.label_of,
        limit=labels.limit_name,
        kind=words.kind,
    )
    app.jinja_env.globals.update(
        shapes=words.SHAPES,
        accesses=ACCESSES,
        ended=words.ENDED,
        stands=STANDS,
        risk_done=RISK_DONE,
        dismiss_reasons=DISMISS_REASONS,
        decisions=DECISIONS,
        roles=ROLES,
        risk_states=RISK_STATES,
        no_verdict=labels.NO_VERDICT,
        token_field=_token_field,
    )
    app.context_processor(lambda: _common(house))


def _token_field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        session.FIELD, session.form_token()
    )


def _common(house: House) -> dict[str, Any]:
    viewer = session.maybe_person(house)
    return {
        "viewer": viewer,
        "today": house.today().isoformat(),
        "contact": house.contact,
        "risk_policy": house.risk_policy,
        "said": gettext(words.SAID.get(request.args.get("done", ""), "")),
        "language": language.language(),
        "banners": notices(house) if viewer else [],
    }


def notices(house: House) -> list[dict[str, Any]]:
    """What everybody who is signed in must know before they read a page."""
    found = []
    risk = house.reading.risk_path()
    if risk.banner:
        found.append({"text": risk.banner, "loud": True})
    if house.risk_policy is None:
        found.append({"text": gettext(words.NO_POLICY), "loud": True})
    fresh = house.reading.freshness()
    if not fresh.built:
        found.append({"text": gettext(words.NOT_BUILT), "loud": True})
    elif fresh.behind_s > STALE_S:
        age = words.lasting(fresh.behind_s)
        found.append({"text": gettext(words.STALE).format(age=age), "loud": True})
    if g.get("late"):
        found.append({"text": gettext(words.NOT_YET), "loud": False})
    return found
