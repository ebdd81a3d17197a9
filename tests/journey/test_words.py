"""Everything that pages say can be said in another language: nothing visible is without a mark."""

import re
from html.parser import HTMLParser

from schemas import approaches

SHOWN = ("aria-label", "title", "alt", "placeholder")
INLINE = ("a", "b", "br", "button", "code", "em", "span", "strong")
"""Elements that may stand inside a text that is marked."""
DATA = (
    "Pivot Point", "PHQ-9", "GAD-7", "CBT", "EMDR", "Behavioural activation", "Behavio",
    "Depression", "depression", "sertraline 50 mg begun", "medication", "dose raised", "client",
    "first session", "minimal", "mild", "moderately severe", "moderate", "severe",
    "Jacobson-Truax", "reliability", "calibration 2026", "alarm budget", "shipped calibration",
    "trend", "gain_partly_lost", "off_track", "reliable_deterioration", "more than half the days",
    "Thoughts that you would be better off dead, or of hurting yourself in some way",
)  # fmt: skip
"""What senders and instruments say in words, as it came."""
TITLES = approaches.shipped().titles
WRITTEN = (
    "Below 10 by week 8", "Sleep mended by spring", "Nights were calm", "half of it gone",
    "The plan was agreed in the second session", "The plan was agreed in session 2",
    "Two good weeks after planning one thing", "two good weeks", "that we agreed on the plan",
    "whether we agree on the goal", "Whether we still agree on the goal", "how the nights are",
    "both of us", "ask next time", "a week’s diary", "repeats itself", "better now",
    "hether sleep changed", "I do better when I know what the week is for",
    "I was sure without asking", "I am sure of the goal without having asked",
    "I hurry when somebody comes late.\nWhat would happen if I did not?",
    "extension 100", "shared drive, Risk",
)  # fmt: skip
"""What people wrote."""
NAMES = ("alice", "bob", "sam", "bea", "olga", "Anna", "anna", "Sam", "Olga", "dr-a", "K-k", "K-w")
READERS = ("inbox", "deliver", "book", "metrics", "persons who may sign in")


class Visible(HTMLParser):
    """What a page shows or says aloud, by the elements that hold it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = [""]
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_endtag(tag)
        said = [value or "" for name, value in attrs if name in SHOWN]
        self.texts[-1:-1] = said

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.texts.append("")


def unmarked(text: str) -> str:
    """What of a text stands outside every «…», and is no data."""
    outside, depth = "", 0
    for letter in text:
        depth += (letter == "«") - (letter == "»")
        outside += letter if depth <= 0 and letter not in "«»" else " "
    for word in sorted((*DATA, *TITLES, *WRITTEN, *NAMES, *READERS), key=len, reverse=True):
        outside = outside.replace(word, " ")
    return " ".join(re.findall(r"[A-Za-z]{2,}", outside))


def test_no_page_shows_a_text_that_cannot_be_translated(wrapped_pages: dict[str, str]) -> None:
    found: dict[str, str] = {}
    for name, html in wrapped_pages.items():
        assert '<html lang="x-wrapped">' in html, name
        for text in Visible(html).texts:
            if unmarked(text):
                found.setdefault(unmarked(text), name)
    assert found == {}
