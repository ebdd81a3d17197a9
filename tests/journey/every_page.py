"""Every page of the alerts service as HTML, in the states that the clinics of tests know."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from services.alerts.pages import Freshness, session
from tests.journey import pages_courses as courses
from tests.journey.desk_house import K, furnished
from tests.journey.pages_caseload import PEOPLE
from tests.journey.pages_house import Rooms
from tests.journey.pages_house import app_of as app_of_rooms
from tests.service.alerts_rig import EVIDENCE, Rig, episode_changed, found, id_of
from tests.service.lessons_rig import clinic, fails, reflects
from tests.service.pages_rig import Browser, app_of

MINE = (
    "/", "/?tier=prompt", "/clients", "/patterns", "/pivots", "/supervision", "/unknowns",
    "/journal", "/journal/calibration", "/toolkit", "/about", "/nowhere",
)  # fmt: skip
THEIRS = ("/", "/clients", "/patterns", "/pivots", "/supervision", "/rules", "/training")
ALL = "w"
"""The course of which every channel has something to say."""


def every_page(folder: Path) -> dict[str, TestResponse]:
    """A name for each page to the answer that holds it."""
    pages: dict[str, TestResponse] = {}
    with _rig(folder / "desk", furnished) as rig:
        _at_the_desk(rig, pages)
    with _rig(folder / "lessons", _lessons) as rig:
        for name in ("alice", "sam"):
            at = Browser(app_of(rig)).sign_in(rig, name)
            for path in ("/", "/?tier=prompt", "/patterns", "/pivots", "/supervision"):
                pages[f"lessons {name} {path}"] = at.get(path)
        pages["lessons sam rules"] = Browser(app_of(rig)).sign_in(rig, "sam").get("/rules")
    for rooms, name, path, state in _in_rooms():
        client = app_of_rooms(rooms).test_client()
        if name:
            client.set_cookie(session.COOKIE, rooms.open_session(PEOPLE[name]))
        answer = client.get(path, headers={"Accept": "text/html"})
        pages[f"rooms {name or 'nobody'} {state or path}"] = answer
    return pages


@contextmanager
def _rig(folder: Path, build: Callable[[Path], Rig]) -> Iterator[Rig]:
    folder.mkdir()
    rig = build(folder)
    try:
        yield rig
    finally:
        rig.close()


def _lessons(folder: Path) -> Rig:
    rig = Rig(folder, BACKUP="bea")
    clinic(rig)
    fails(rig, "a4")
    for name in ("a4", "a7"):
        reflects(rig, name, choices={"alliance": ("withdrawal",)}, shared=("lenses",))
    rig.rules.retire(rig.person("sam"), "plateau", "repeats itself")
    rig.rules.reinstate(rig.person("sam"), "plateau", "better now")
    rig.rules.retire(rig.person("sam"), "stalled", "repeats itself")
    return rig


def _at_the_desk(rig: Rig, pages: dict[str, TestResponse]) -> None:
    rig.tell("episode.changed", episode_changed(ALL, client="K-w"))
    for channel in EVIDENCE:
        rig.tell("finding.opened", found(ALL, channel))
    rig.show()
    alice = Browser(app_of(rig)).sign_in(rig, "alice")
    k, w = f"/episodes/{K.hex}", f"/episodes/{id_of('episode', ALL).hex}"
    last = rig.reflections.of(rig.person("alice"))
    mine = next(one["reflection"] for one in last if one["episode"] == K.hex)
    paths = {
        "episode": k,
        "episode with every channel": w,
        "reflect": f"{k}/reflect",
        "with the client": f"{k}/together",
        "revise": f"{k}/reflections/{mine}/revise",
    }
    for name, path in (*zip(MINE, MINE, strict=True), *paths.items()):
        pages[f"alice {name}"] = alice.get(path)
    pages["refused"] = alice.post(f"{k}/reflect", decision="", confidence="x")
    pages["late"] = alice.post(f"{k}/reflect", decision="pivot", review_on="2020-01-01")
    pages["long"] = alice.post("/journal", text="")
    pages["empty"] = alice.post(f"{k}/together")
    sam = Browser(app_of(rig)).sign_in(rig, "sam")
    for path in THEIRS:
        pages[f"sam {path}"] = sam.get(path)
    pages["sam episode"] = sam.get(k)
    pages["sam reflects"] = sam.get(f"{k}/reflect")
    olga = Browser(app_of(rig)).sign_in(rig, "olga")
    for path in ("/status", "/rules"):
        pages[f"olga {path}"] = olga.get(path)


def _in_rooms() -> Iterator[tuple[Rooms, str, str, str]]:
    """Rooms, who looks, the address, and what the page is called where that does not tell."""
    rooms: Any = Rooms()
    for name in ("risk", "off", "none", "good", "pivot"):
        yield rooms, "Anna", f"/episodes/{courses.ident('e', name)}", f"episode {name}"
    yield rooms, "Anna", f"/episodes/{courses.ident('e', 'off')}/reflect", "reflect"
    for path in ("/clients", "/patterns", "/pivots"):
        yield rooms, "Anna", path, ""
    for name, path in (("Anna", "/"), ("Sam", "/"), ("Olga", "/status"), ("", "/")):
        yield rooms, name, path, ""
    for path in ("/signin/x", "/signed-out", "/about"):
        yield rooms, "", path, ""
    for done in ("acknowledged", "reflected", "said"):
        yield rooms, "Anna", f"/?done={done}", ""
    yield Rooms(fresh=Freshness(built=False, behind_s=0.0)), "Anna", "/", "not built"
    late = Rooms(fresh=Freshness(built=True, behind_s=400.0), arrives=False)
    yield late, "Anna", "/?at=9", "late"
