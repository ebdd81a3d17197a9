"""Every page of the alerts service, rendered once in a language that shows what is marked."""

from gettext import NullTranslations

import pytest

from services.alerts.core import language
from tests.journey.every_page import every_page


class Wrapped(NullTranslations):
    """A language in which every text of ours is «the text»."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"«{msgid1 if n == 1 else msgid2}»"


@pytest.fixture(scope="session")
def wrapped_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A name for each page to its HTML, every text of ours in it as «the text»."""
    language.speak(Wrapped(), "x-wrapped")
    try:
        pages = every_page(tmp_path_factory.mktemp("pages"))
        return {name: answer.text for name, answer in pages.items()}
    finally:
        language.speak(NullTranslations(), "en")
