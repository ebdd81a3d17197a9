"""One event and N equal answers, from several processes that share nothing but the store."""

import json
import subprocess
import sys
from pathlib import Path

from services.chassis.store import Store
from services.outcomes.core.event import TOPICS
from services.outcomes.senders import Senders
from tests.service.door import KEY, opened, phq

ROOT = Path(__file__).parents[2]
WORKER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.service.door import opened, phq
with opened(Path(sys.argv[1])) as door:
    print("ready", flush=True)
    sys.stdin.readline()
    def post(number):
        answer = door.post("/v1/measures", phq(number % 10), token=sys.argv[2])
        return [answer.status, answer.raw.decode()]
    with ThreadPoolExecutor(8) as pool:
        print(json.dumps(list(pool.map(post, range(40)))), flush=True)
"""


def test_parallel_identical_posts_from_several_processes(tmp_path: Path) -> None:
    with opened(tmp_path, sender="all") as door:
        token = door.token
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), token],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    try:
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        answers: list[tuple[int, str]] = []
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in started:
            output, _ = one.communicate(timeout=60)
            assert one.returncode == 0
            answers += [(status, raw) for status, raw in json.loads(output.splitlines()[-1])]
    finally:
        for one in started:
            one.kill()
            one.communicate()
    assert sorted({status for status, _ in answers}) == [200, 201]
    assert [status for status, _ in answers].count(201) == 10
    assert len({raw for _, raw in answers}) == 10
    assert _recorded(tmp_path) == 10


def test_what_another_process_revokes_is_noticed_here(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        assert door.post("/v1/measures", phq()).status == 201
        script = (
            "import sys; from pathlib import Path\n"
            "from tests.service.door import revoke; revoke(Path(sys.argv[1]), 'ehr')"
        )
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=True)
        door.wait_until(lambda: door.get("/v1/held").status == 401, within=5)


def test_a_token_that_another_process_made_is_good_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        assert door.get("/v1/held").status == 200
        other = Senders(door.store.log(), door.store.ids, door.store.service_owner, door.clock)
        assert door.get("/v1/held", token=other.rotate("ehr")).status == 200


def _recorded(folder: Path) -> int:
    store = Store.open(f"sqlite:///{folder}", "outcomes", master_key=KEY, topics=TOPICS)
    try:
        return len(store.log().page(0, topics=["measure.recorded"]).entries)
    finally:
        store.close()
