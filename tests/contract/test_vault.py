"""One id and one key for each client, whoever asks first and however many ask at once."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from services.chassis.faults import ShreddedError
from services.chassis.keys import KEYS
from services.chassis.store import Store
from services.chassis.vault import CLIENTS
from tests.contract.conftest import Place


def test_a_client_has_one_id_for_ever(store: Store, opened: Callable[[], Store]) -> None:
    subject = store.vault.subject("ehr", "client 7")
    assert store.vault.subject("ehr", "client 7") == subject
    assert opened().vault.subject("ehr", "client 7") == subject
    assert store.vault.subject("other", "client 7") != subject
    assert store.vault.reference(subject) == ("ehr", "client 7")
    with pytest.raises(KeyError):
        store.vault.reference(uuid4())


def test_many_clients_at_once(store: Store) -> None:
    known = store.vault.subject("ehr", "3")
    pairs = [("ehr", str(n)) for n in range(600)]
    found = store.vault.subjects(pairs)
    assert len(set(found.values())) == 600
    assert found["ehr", "3"] == known
    assert store.vault.subjects(pairs) == found


def test_racing_for_one_client_gives_one_id(store: Store, opened: Callable[[], Store]) -> None:
    vaults = [store.vault, *(opened().vault for _ in range(3))]
    seen: list[object] = []
    gate = threading.Barrier(8)

    def ask(number: int) -> None:
        vault = vaults[number % 4]
        gate.wait()
        seen.extend(vault.subject("ehr", f"client {n}") for n in range(10))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert len(set(seen)) == 10


def test_an_erased_client_keeps_its_id_and_loses_its_name(store: Store) -> None:
    vault = store.vault
    subject = vault.subject("ehr", "client 7")
    vault.shred(subject)
    assert vault.is_shredded(subject)
    assert not vault.is_shredded(uuid4())
    assert vault.subject("ehr", "client 7") == subject
    with pytest.raises(ShreddedError):
        vault.reference(subject)
    with pytest.raises(ShreddedError):
        vault.ensure([subject, uuid4()])
    assert vault.living([subject]) == set()


def test_a_key_survives_the_process_that_made_it(store: Store, opened: Callable[[], Store]) -> None:
    owners = [uuid4() for _ in range(500)]
    store.vault.ensure(owners)
    sealed = [store.vault.seal(owner, b"plain", b"") for owner in owners]
    again = opened().vault
    again.prefetch(sealed)
    assert {again.unseal(one, b"") for one in sealed} == {b"plain"}


def test_racing_for_one_key_gives_one_key(store: Store, opened: Callable[[], Store]) -> None:
    vaults = [opened().vault for _ in range(4)]
    owners = [uuid4() for _ in range(20)]
    sealed: list[bytes] = []
    gate = threading.Barrier(4)

    def seal(number: int) -> None:
        gate.wait()
        sealed.extend(vaults[number].seal(owner, b"plain", b"") for owner in owners)

    threads = [threading.Thread(target=seal, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.vault.unseal(one, b"") for one in sealed] == [b"plain"] * 80


def test_verify_finds_keys_and_clients_that_were_changed(store: Store) -> None:
    vault = store.vault
    kept, moved = vault.subject("ehr", "1"), vault.subject("ehr", "2")
    gone = vault.subject("ehr", "3")
    vault.shred(gone)
    assert vault.verify() == []
    with store.database("vault").writing() as connection:
        change = update(CLIENTS).where(CLIENTS.c.subject == moved.bytes)
        connection.execute(change.values(hash="0" * 64))
    assert vault.verify() == [f"vault, client {moved.hex}: does not authenticate"]
    with store.database("vault").writing() as connection:
        change = update(KEYS).where(KEYS.c.owner == kept.bytes)
        connection.execute(change.values(wrapped=b"x" * 60))
    assert f"vault, key of {kept.hex}: the master key does not open it" in vault.verify()


def test_an_erased_key_is_not_left_in_the_files(store: Store, place: Place) -> None:
    gone = uuid4()
    store.vault.ensure([gone, uuid4()])
    with store.database("vault").reading() as connection:
        wrapped = connection.scalar(select(KEYS.c.wrapped).where(KEYS.c.owner == gone.bytes))
    assert wrapped
    assert any(wrapped in content for content in place.bytes_on_disk()) or not place.is_sqlite
    store.vault.shred(gone)
    if place.is_sqlite:  # a server's journals live longer
        assert not any(wrapped in content for content in place.bytes_on_disk())
