"""The approaches that have a name here: vocabulary with its evidence, no advice."""

import tomllib
from pathlib import Path

from schemas import approaches

FILE = Path(approaches.__file__).with_name("approaches.toml")


def test_every_approach_says_what_is_known_of_it() -> None:
    """A title of its own, a label of evidence, a source; the label never suits a client to it."""
    listed = tomllib.loads(FILE.read_text("utf-8"))["approach"]
    titles = [one["title"] for one in listed]
    assert len(set(titles)) == len(titles) > 5
    for one in listed:
        assert one["label"]
        assert one["source"]
        assert "recommend" not in one["label"]
        assert "best for" not in one["label"]


def test_neither_service_has_a_list_of_its_own() -> None:
    """There is one list, in the contract that both read."""
    assert not list((FILE.parents[1] / "services").rglob(FILE.name))


def test_every_alias_means_its_title() -> None:
    known = approaches.shipped()
    for one in tomllib.loads(FILE.read_text("utf-8"))["approach"]:
        for name in (one["title"], *one["aliases"]):
            assert known.name(f" {name.upper()} ") == one["title"]
    assert known.name("A way  of our own") == "A way of our own"
