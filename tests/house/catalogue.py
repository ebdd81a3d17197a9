"""Makes `services/alerts/words.pot` from the marks in code, templates and lenses (`make words`)."""

import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "services" / "alerts"
CATALOGUE = SERVICE / "words.pot"
MARKS = {"_": None, "gettext": None, "gettext_noop": None, "ngettext": (1, 2)}
_CHANGES = (
    "POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Language-Team",
    "Report-Msgid-Bugs-To", "Project-Id-Version",
)  # fmt: skip
"""Lines of the header that would differ from run to run, or name nobody."""
_HEADER = "# What the pages of the alerts service say. Written by `make words`."


def lenses(file: Any, keywords: Any, comments: Any, options: Any) -> Iterator[Any]:
    """The words of a lens, as Babel asks an extraction method for them."""
    lens = tomllib.loads(file.read().decode())
    texts = [lens["title"], lens.get("note"), lens.get("opened_by"), *lens["questions"]]
    texts += [lens["evidence"]["label"], lens["evidence"]["source"]]
    for choice in lens.get("choice", ()):
        texts += [choice.get("group"), choice["text"], *choice.get("points_to", ())]
    for text in texts:
        if text:
            yield 1, "gettext", text, []


def catalogue() -> str:
    """The catalogue as it should stand; the same for the same sources, wherever they lie."""
    found = Catalog(project="Pivot Point", fuzzy=False, header_comment=_HEADER)
    methods = [
        ("**/templates/**.html", "jinja2"),
        ("lenses/**.toml", "tests.house.catalogue:lenses"),
        ("**.py", "python"),
    ]
    options = {
        "**/templates/**.html": {
            "newstyle_gettext": "true",
            "trim_blocks": "true",
            "lstrip_blocks": "true",
            "silent": "false",
        }
    }
    for path, _, message, _comments, context in extract_from_dir(
        SERVICE, methods, options, MARKS, strip_comment_tags=True
    ):
        found.add(message, locations=[(f"services/alerts/{path}", 0)], context=context)
    written = BytesIO()
    write_po(written, found, width=100, sort_by_file=True, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(tuple(f'"{n}' for n in _CHANGES)))


if __name__ == "__main__":
    CATALOGUE.write_text(catalogue(), encoding="utf-8")
