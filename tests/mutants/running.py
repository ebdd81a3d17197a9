"""Runs the tests that reach a mutant's function against it, in a fork of the collected session."""

import importlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.making import Constant, Mutant, Place, mutants, place

SECONDS = 20.0
"""CPU of tests that a mutant is given; the quickest are first."""
KILLED, SURVIVED, SAME, BROKEN = 1, 0, 2, 3
"""Exit codes of a mutant's process: a test failed, none did, no code differs, it was not tried."""
ENDED = -1
"""A signal ended the process; no test failed."""
OVER = signal.SIGVTALRM.name
"""The signal of a mutant that would never end: it took more than its share of CPU."""


class Outcome(NamedTuple):
    """What became of a mutant, and by what: the test that failed, or the signal."""

    kind: int
    by: str = ""

    @property
    def noticed(self) -> bool:
        """A test failed, or would never have ended. Another signal says nothing of the tests."""
        return self.kind == KILLED or (self.kind == ENDED and self.by == OVER)


Result = tuple[Mutant | Constant, Outcome]


@dataclass
class Reach:
    """What each test takes, and which functions it enters."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class Mutants:
    """In the place of pytest's loop: every mutant against the tests that reach it."""

    def __init__(
        self,
        root: Path,
        module: str,
        *,
        sample: int | None,
        seed: int,
        minutes: float,
        slack: float,
    ) -> None:
        self.root, self.module = root.resolve(), module
        self.sample, self.seed = sample, seed
        self.minutes, self.slack = minutes, slack
        self.kills: Counter[str] = Counter()
        self.results: list[Result] = []

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings  # pytest wants to be first

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", derandomize=True, database=None, deadline=None, phases=phases
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        for path in self.root.rglob(
            "*.py"
        ):  # one that is only imported late has no function to change
            importlib.import_module(".".join(path.relative_to(Path.cwd()).with_suffix("").parts))
        chosen = list(mutants(self.root, self.module))
        random.Random(self.seed).shuffle(chosen)
        print(f"\n{len(chosen)} mutants, of which {self.sample or 'all'} are tried", flush=True)
        self.reach = reached(session.items, str(self.root))
        self.tried(chosen)
        session.testsfailed = 0
        report(self.results)
        return True

    @property
    def score(self) -> float:
        """The share of mutants that were noticed, 0 where none was tried."""
        return sum(one.noticed for _, one in self.results) / max(1, len(self.results))

    def tried(self, chosen: list[Mutant | Constant]) -> None:
        """Mutants with what became of them, until the sample or the time is over."""
        results = self.results
        end = time.monotonic() + 60 * self.minutes
        for mutant in chosen:
            if len(results) == self.sample or time.monotonic() > end:
                break
            outcome = self.outcome(mutant)
            if outcome.kind != SAME:
                results.append((mutant, outcome))
                if len(results) % 25 == 0:
                    survived = sum(one.kind == SURVIVED for _, one in results)
                    print(f"{len(results)} tried, {survived} survived", flush=True)

    def outcome(self, mutant: Mutant | Constant) -> Outcome:
        """One mutant, in a process of its own."""

        def child(out: Callable[[str], object]) -> int:
            change = mutant.change()
            if change is None:
                return SAME
            if not change.put():
                return BROKEN
            # None where no test enters what is changed: it survives.
            tests = self.order([json.dumps(one) for one in change.places])
            limit = self.slack + 3 * min(SECONDS, sum(self.reach.seconds[one] for one in tests))
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            for one, after in zip(tests, [*tests[1:], ""], strict=False):
                if failed(self.items[one], self.items.get(after)):
                    out(one)
                    return KILLED
            return SURVIVED

        code, killer = forked(child)
        if code < 0:
            return Outcome(ENDED, signal.Signals(-code).name)
        if killer:
            self.kills[killer] += 1
        return Outcome(code, killer)

    def order(self, functions: list[str]) -> list[str]:
        """The tests that enter one of these: what killed before, then the quickest, in time."""
        tests: list[str] = []
        spent = 0.0
        for one in sorted(
            {test for one in functions for test in self.reach.tests.get(one, [])},
            key=lambda one: (-self.kills[one], self.reach.seconds[one], one),
        ):
            spent += self.reach.seconds[one]
            if spent > SECONDS and tests:
                break
            tests.append(one)
        return tests


def failed(item: pytest.Item, after: pytest.Item | None) -> bool:
    """Run a test: did it fail?"""
    return any(one.failed for one in runtestprotocol(item, log=False, nextitem=after))


def forked(work: Callable[[Callable[[str], object]], int]) -> tuple[int, str]:
    """The exit code of a fork that does this work (below zero: a signal), and what it told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            code = work(lambda text: os.write(writing, text.encode()))
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, encoding="utf-8") as pipe:
        told = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def reached(items: list[pytest.Item], root: str) -> Reach:
    """Every test run once in a fork, with the functions under `root` that it enters."""

    def child(out: Callable[[str], object]) -> int:
        wrong = 0
        for item, after in zip(items, [*items[1:], None], strict=True):
            seen = entered(item, after, root)
            wrong |= seen[0]
            out(json.dumps([item.nodeid, *seen]) + "\n")
        return int(wrong)

    code, told = forked(child)
    reach = Reach()
    for name, wrong, seconds, core in map(json.loads, told.splitlines()):
        if wrong:
            pytest.exit(f"without any mutant this fails already: {name}", 1)
        reach.seconds[name] = seconds
        for one in core:
            reach.tests[json.dumps(one)].append(name)
    if code:
        pytest.exit(f"the tests alone ended with {code}", 1)
    return reach


def entered(
    item: pytest.Item, after: pytest.Item | None, root: str
) -> tuple[bool, float, list[Place]]:
    """Run a test: whether it failed, its CPU in seconds, the functions that it enters."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    start = time.process_time()
    sys.setprofile(note)
    wrong = failed(item, after)
    sys.setprofile(None)
    core = [place(one) for one in seen if one.co_filename.startswith(root)]
    return wrong, time.process_time() - start, core


def report(results: list[Result]) -> None:
    """Those that no test noticed, with their lines; then the score of each module and of all."""
    for mutant, outcome in sorted(results, key=lambda one: one[0].module):
        if not outcome.noticed:
            print(f"\n{_word(outcome)} {mutant.told()}")
    print()
    for module in [*sorted({mutant.module for mutant, _ in results}), ""]:
        mine = [one for mutant, one in results if module in ("", mutant.module)]
        killed = sum(one.kind == KILLED for one in mine)
        over = sum(one.noticed for one in mine) - killed
        share = (killed + over) / max(1, len(mine))
        told = f"{killed} killed, {over} never ended"
        print(f"{share:6.1%} of {len(mine):5} noticed ({told})  {module or 'all'}")


def _word(outcome: Outcome) -> str:
    if outcome.kind == ENDED:
        return f"ended by {outcome.by}"
    return "survived" if outcome.kind == SURVIVED else "not tried"
