"""A process that posts into a store and says on its output what has been acknowledged.

Run as `python -m tests.contract.writer LOCATION SERVICE SEED COUNT`: streams are derived from
the seed, so that two writers of one seed compete; each line is a stream and what became of it.
"""

import sys
import threading
from typing import Any
from uuid import UUID, uuid5

from services.chassis.group_commit import GroupCommit, Read
from services.chassis.store import Store
from tests.contract.sample import MASTER_KEY, NOON, TOPICS, Noted

THREADS = 4
NAMES = UUID("22222222-2222-4222-8222-222222222222")


def stream(seed: str, number: int) -> UUID:
    return uuid5(NAMES, f"{seed}/{number}")


def main(location: str, service: str, seed: str, count: str) -> None:
    store = Store.open(location, service, master_key=MASTER_KEY, topics=TOPICS)
    group = GroupCommit(store.log())
    tell = threading.Lock()

    def post(number: int) -> None:
        name = stream(seed, number)
        owner = store.vault.subject("sender", f"client {number % 7}")
        event = Noted(
            originator_id=name,
            originator_version=1,
            timestamp=NOON,
            owner=owner,
            text=str(number),
            episode=uuid5(NAMES, f"episode {number % 7}").hex,
        )

        def decide(read: Read | None) -> tuple[list[Any], str]:
            return ([], "there") if read and read(name) else ([event], "stored")

        answer = group.submit(decide)
        with tell:
            sys.stdout.write(f"{name.hex} {answer}\n")
            sys.stdout.flush()

    def run(first: int) -> None:
        for number in range(first, int(count), THREADS):
            post(number)

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    group.close()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
