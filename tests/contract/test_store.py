"""A store is made once by migrate, found again by everyone, and refused when it is not whole."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError
from sqlalchemy import text

from services.chassis.faults import NotMigratedError, StoreError
from services.chassis.store import Store
from tests.contract.conftest import Place
from tests.contract.sample import MASTER_KEY, TOPICS, noted
from tests.servers import Cluster
from tests.servers.certificate import own_certificate


def test_workers_refuse_a_store_without_tables(opened: Callable[[], Store], place: Place) -> None:
    store = opened()
    for use in (store.log, lambda: store.vault, lambda: store.views, lambda: store.ids):
        with pytest.raises(NotMigratedError):
            use()
    if place.is_sqlite:
        assert not place.folder.exists()


def test_migrate_keeps_what_is_there(opened: Callable[[], Store]) -> None:
    first = opened()
    first.migrate()
    event = noted("kept")
    first.log().append([event])
    facts = (first.log_id, first.service_owner, first.ids.derive("episode", "ehr", "7"))
    first.migrate()
    again = opened()
    again.migrate()
    assert (again.log_id, again.service_owner, again.ids.derive("episode", "ehr", "7")) == facts
    assert again.log().read(event.originator_id) == [event]


def test_two_at_once_migrate_to_one_store(opened: Callable[[], Store]) -> None:
    stores = [opened() for _ in range(4)]
    threads = [threading.Thread(target=store.migrate) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({store.log_id for store in stores}) == 1
    assert len({store.ids.derive("x") for store in stores}) == 1


def test_tables_of_another_version_are_refused(store: Store, opened: Callable[[], Store]) -> None:
    with store.database("log").writing() as connection:
        connection.execute(text("UPDATE facts SET value = '0' WHERE name = 'schema'"))
    with pytest.raises(NotMigratedError):
        opened().log()


def test_refuses_the_setting_that_loses_events(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(RuntimeError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        place.open()


@pytest.mark.parametrize(
    ("location", "service", "key"),
    [
        ("mysql://nowhere", "sample", MASTER_KEY),
        ("sqlite:///there", "no name", MASTER_KEY),
        ("sqlite:///there", "sample", b"short"),
    ],
)
def test_refuses_what_is_no_place(location: str, service: str, key: bytes) -> None:
    with pytest.raises(ValueError):
        Store.open(location, service, master_key=key, topics=TOPICS)


def test_one_process_holds_a_lock(store: Store, opened: Callable[[], Store]) -> None:
    mine, theirs, another = store.lock("timers"), opened().lock("timers"), store.lock("detector")
    assert mine.acquire()
    assert mine.acquire()
    assert not theirs.acquire()
    assert another.acquire()
    mine.release()
    assert theirs.acquire()
    assert not mine.acquire()
    theirs.release()
    another.release()


def test_the_volatile_database_takes_tables(store: Store) -> None:
    with store.volatile.writing() as connection:
        connection.execute(text("CREATE TABLE links (token VARCHAR(10))"))
    with store.volatile_engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM links")).all() == []


def test_every_commit_on_sqlite_is_flushed_but_those_of_views(store: Store, place: Place) -> None:
    if not place.is_sqlite:
        with store.database("log").reading() as connection:
            assert connection.scalar(text("SHOW synchronous_commit")) == "on"
        return
    for name, level in {"log": 2, "vault": 2, "parking": 2, "volatile": 2, "views": 1}.items():
        with store.database(name).reading() as connection:
            assert connection.scalar(text("PRAGMA synchronous")) == level, name
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    recorder = store.log()._recorder
    assert recorder._rows("PRAGMA synchronous", [])[0][0] == 2  # type: ignore[attr-defined]


def test_a_sealed_connection_holds_for_the_log_and_all_beside_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Whoever may come sealed alone is refused in clear, and a stranger's certificate by us."""
    foreign = tmp_path / "foreign.pem"
    foreign.write_bytes(own_certificate()[1])
    location = cluster.sealed_location

    def works(options: str) -> None:
        store = Store.open(location + options, "sealed", master_key=MASTER_KEY, topics=TOPICS)
        try:
            store.migrate()
            assert store.log().head() == 0
            with store.database("views").reading() as connection:
                used = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                assert connection.scalar(text(used)) is True
        finally:
            store.close()

    works(f"?sslmode=verify-full&sslrootcert={cluster.ca_file}")
    for refused in ("?sslmode=disable", f"?sslmode=verify-full&sslrootcert={foreign}"):
        with pytest.raises(StoreError):
            works(refused)
        store = Store.open(location + refused, "sealed", master_key=MASTER_KEY, topics=TOPICS)
        with pytest.raises(OperationalError):
            store._place.recorder().close()
