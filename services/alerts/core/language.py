"""Where words of ours become those of the installation's language; English until one is chosen.

A sentence stands in English where it is used, inside `_` or `ngettext`, and templates do the same.
What is looked up by a key stands in its table inside `gettext_noop` and goes through `_` when it is
shown. `make words` gathers all of them; what a card says is kept as it was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations


@dataclass(slots=True)
class _Language:
    translations: NullTranslations
    tag: str


_SPOKEN = _Language(NullTranslations(), "en")


def speak(translations: NullTranslations, tag: str) -> None:
    """Say everything by these translations from now on; `tag` is their language (BCP 47)."""
    _SPOKEN.translations, _SPOKEN.tag = translations, tag


def language() -> str:
    """The tag of the language that is spoken."""
    return _SPOKEN.tag


def gettext(text: str) -> str:
    """The text in the language that is spoken; nothing for nothing."""
    return _SPOKEN.translations.gettext(text) if text else ""


_ = gettext


def ngettext(one: str, many: str, count: int) -> str:
    """The form of a text that goes with a count."""
    return _SPOKEN.translations.ngettext(one, many, count)


def gettext_noop(text: str) -> str:
    """The text as it is, marked to be translated when it is shown."""
    return text


MONTHS = (
    gettext_noop("January"),
    gettext_noop("February"),
    gettext_noop("March"),
    gettext_noop("April"),
    gettext_noop("May"),
    gettext_noop("June"),
    gettext_noop("July"),
    gettext_noop("August"),
    gettext_noop("September"),
    gettext_noop("October"),
    gettext_noop("November"),
    gettext_noop("December"),
)

SHORT_MONTHS = (
    gettext_noop("Jan"),
    gettext_noop("Feb"),
    gettext_noop("Mar"),
    gettext_noop("Apr"),
    gettext_noop("May"),
    gettext_noop("Jun"),
    gettext_noop("Jul"),
    gettext_noop("Aug"),
    gettext_noop("Sep"),
    gettext_noop("Oct"),
    gettext_noop("Nov"),
    gettext_noop("Dec"),
)


def day_words(on: date, with_year: bool = True, months: Sequence[str] = MONTHS) -> str:
    """A date in words: 30 March 2026, or 30 March."""
    form = _("{day} {month} {year}") if with_year else _("{day} {month}")
    return form.format(day=on.day, month=_(months[on.month - 1]), year=on.year)


def capital(text: str) -> str:
    """The text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]
