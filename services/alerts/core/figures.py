"""Numbers and days as cards and pages write them; what is not known is said."""

from datetime import date

from services.alerts.core.language import _, day_words, gettext_noop, ngettext


def show(value: float | None) -> str:
    """A score in words: whole when it is whole, else with one decimal."""
    if value is None:
        return _("not known")
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def percent(value: float | None) -> str:
    """A probability in whole percent, never 0 or 100."""
    if value is None:
        return _("not known")
    return f"{min(99, max(1, round(value * 100)))} %"


def day(text: str | None) -> str:
    """A date in words, for instance 30 March 2026; what is no date stays as it is."""
    if not text:
        return _("an unknown date")
    try:
        return day_words(date.fromisoformat(text[:10]))
    except ValueError:
        return text


def points(value: float | None) -> str:
    """So many points, whatever their sign."""
    if value is None:
        return _("some points")
    shown = show(abs(value))
    return ngettext("{count} point", "{count} points", 1 if shown == "1" else 2).format(count=shown)


def weeks(value: float | None) -> str:
    """So many weeks, small numbers as words."""
    if value is None:
        return _("some weeks")
    return ngettext("{count} week", "{count} weeks", round(value)).format(count=whole(value))


def measures(value: float | None, title: str) -> str:
    """So many measures of the instrument `title`, small numbers as words."""
    if value is None:
        return _("some {instrument} measures").format(instrument=title)
    form = ngettext("{count} {instrument} measure", "{count} {instrument} measures", round(value))
    return form.format(count=whole(value), instrument=title)


def whole(value: float) -> str:
    """A whole number, small ones as a word."""
    whole = round(value)
    return _(_SMALL[whole]) if whole in _SMALL else str(whole)


_SMALL = {
    0: gettext_noop("no"),
    1: gettext_noop("one"),
    2: gettext_noop("two"),
    3: gettext_noop("three"),
    4: gettext_noop("four"),
    5: gettext_noop("five"),
    6: gettext_noop("six"),
}
