"""The approaches that the reflection form offers: vocabulary with its evidence, no advice."""

import tomllib
from pathlib import Path

from services.alerts import wiring

FILE = Path(wiring.__file__).with_name("approaches.toml")


def test_every_approach_says_what_is_known_of_it() -> None:
    """A title of its own, a label of evidence, a source; the label never suits a client to it."""
    approaches = tomllib.loads(FILE.read_text("utf-8"))["approach"]
    titles = [one["title"] for one in approaches]
    assert len(set(titles)) == len(titles) > 5
    for one in approaches:
        assert one["label"]
        assert one["source"]
        assert "recommend" not in one["label"]
        assert "best for" not in one["label"]


def test_the_outcomes_service_has_no_list_of_its_own() -> None:
    """There is one list, where it is offered."""
    assert not (FILE.parents[1] / "outcomes" / FILE.name).exists()


def test_every_alias_means_its_title() -> None:
    known = wiring.approaches()
    for one in tomllib.loads(FILE.read_text("utf-8"))["approach"]:
        for name in (one["title"], *one["aliases"]):
            assert known.name(f" {name.upper()} ") == one["title"]
    assert known.name("A way  of our own") == "A way of our own"
