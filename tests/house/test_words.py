"""What the pages say is marked where it stands, and the catalogue for translators is up to date."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.house.catalogue import CATALOGUE, SERVICE, catalogue

TEMPLATES = sorted((SERVICE / "pages" / "templates").glob("*.html"))
NAMES = ("Pivot Point", "/metrics")
ATTRIBUTES = re.compile(r' [a-z-]+="[^"]*"')
"""Those that a macro writes outside any tag."""
SHOWN = re.compile(r'(?:aria-label|title|alt|placeholder)="([^"]*)"')


def test_the_catalogue_says_what_the_pages_say() -> None:
    assert CATALOGUE.read_text("utf-8") == catalogue(), "make words"


def bare(template: Path) -> str:
    """The text of a template that stands outside every mark, tags left out."""
    tokens, inside, text = list(Environment().lex(template.read_text("utf-8"))), False, ""
    for place, (_, kind, value) in enumerate(tokens):
        if kind == "name" and value in ("trans", "endtrans"):
            inside = value == "trans" and tokens[place - 2][1] == "block_begin"
        if kind == "data" and not inside:
            text += value
        elif kind == "variable_begin":
            text += "…"
    told = ATTRIBUTES.sub(" ", re.sub(r"<[^>]*>", " ", text))
    return " ".join([told, *SHOWN.findall(text)])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_words_without_a_mark(template: Path) -> None:
    said = bare(template)
    for name in NAMES:
        said = said.replace(name, "")
    assert re.findall(r"[A-Za-z]{2,}", said) == []
