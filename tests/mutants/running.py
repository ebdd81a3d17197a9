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

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.making import CORE, Mutant, Place, mutants, place, put

SECONDS = 20.0
"""CPU of tests that a mutant is given; the quickest are first."""
KILLED, SURVIVED, SAME, BROKEN = 1, 0, 2, 3


@dataclass
class Reach:
    """What each test takes, and which functions it enters."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class Mutants:
    """In the place of pytest's loop: every mutant against the tests that reach it."""

    def __init__(self, sample: int | None, seed: int, module: str, minutes: float) -> None:
        self.sample, self.seed, self.module = sample, seed, module
        self.minutes = minutes
        self.kills: Counter[str] = Counter()

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
        for path in CORE.rglob("*.py"):  # one that is only imported late has no function to change
            importlib.import_module(".".join(path.relative_to(Path.cwd()).with_suffix("").parts))
        chosen = list(mutants(self.module))
        random.Random(self.seed).shuffle(chosen)
        print(f"\n{len(chosen)} mutants, of which {self.sample or 'all'} are tried", flush=True)
        self.reach = reached(session.items)
        results = self.tried(chosen)
        session.testsfailed = 0
        report(results)
        return True

    def tried(self, chosen: list[Mutant]) -> list[tuple[Mutant, int]]:
        """Mutants with what became of them, until the sample or the time is over."""
        results: list[tuple[Mutant, int]] = []
        end = time.monotonic() + 60 * self.minutes
        for mutant in chosen:
            if len(results) == self.sample or time.monotonic() > end:
                break
            result = self.result(mutant)
            if result != SAME:
                results.append((mutant, result))
                if len(results) % 25 == 0:
                    survived = sum(one == SURVIVED for _, one in results)
                    print(f"{len(results)} tried, {survived} survived", flush=True)
        return results

    def result(self, mutant: Mutant) -> int:
        """One mutant, in a process of its own."""

        def child(out: Callable[[str], object]) -> int:
            changed = mutant.code()
            if changed is None:
                return SAME
            if not put(*changed):
                return BROKEN
            tests = self.order(json.dumps(changed[0]))
            limit = 5 + 3 * min(SECONDS, sum(self.reach.seconds[one] for one in tests))
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            for one, after in zip(tests, [*tests[1:], None], strict=True):
                if failed(self.items[one], self.items[after] if after else None):
                    out(one)
                    return KILLED
            return SURVIVED

        code, killer = forked(child)
        if killer:
            self.kills[killer] += 1
        return KILLED if code < 0 else code

    def order(self, function: str) -> list[str]:
        """The tests that enter a function: what killed before, then the quickest, in time."""
        tests: list[str] = []
        spent = 0.0
        for one in sorted(
            self.reach.tests.get(function, []),
            key=lambda one: (-self.kills[one], self.reach.seconds[one]),
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


def reached(items: list[pytest.Item]) -> Reach:
    """Every test run once in a fork, with the functions of core/ that it enters."""

    def child(out: Callable[[str], object]) -> int:
        wrong = 0
        for item, after in zip(items, [*items[1:], None], strict=True):
            seen = entered(item, after)
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


def entered(item: pytest.Item, after: pytest.Item | None) -> tuple[bool, float, list[Place]]:
    """Run a test: whether it failed, its CPU in seconds, the functions of core/ that it enters."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    start = time.process_time()
    sys.setprofile(note)
    wrong = failed(item, after)
    sys.setprofile(None)
    core = [place(one) for one in seen if one.co_filename.startswith(str(CORE))]
    return wrong, time.process_time() - start, core


def report(results: list[tuple[Mutant, int]]) -> None:
    """Survivors with their lines, then the score of each module and of all."""
    for mutant, result in sorted(results, key=lambda one: one[0].module):
        if result in (SURVIVED, BROKEN):
            print(f"\n{'survived' if result == SURVIVED else 'not tried'} {mutant.told()}")
    print()
    for module in [*sorted({mutant.module for mutant, _ in results}), ""]:
        mine = [one for mutant, one in results if module in ("", mutant.module)]
        killed = sum(one == KILLED for one in mine)
        print(f"{killed / len(mine):6.1%} of {len(mine):5} killed  {module or 'all'}")
