"""A backup of a service: one folder with everything durable, still sealed, and a manifest.

The master key is never in it; neither are views, which a restore builds anew, nor sign-in links and
sessions, which a restore ends. Made beside live intake; the manifest comes last, so a folder
without one is none.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from services.chassis.database import settle
from services.chassis.durable import sync_folder
from services.chassis.eventlog import Progress
from services.chassis.rows import copy_store
from services.chassis.store import SCHEMA_VERSION, Store

MANIFEST = "manifest.json"
FORMAT = 1
PARTS = ("log.db", "parking.db", "vault.db")
BLOCK = 1 << 20


class BackupError(Exception):
    """The folder cannot be written or used as a backup; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of."""

    format: int
    service: str
    log_id: str
    position: int
    """The last position of the log in it."""
    schema: str
    made_at: str
    parts: dict[str, str]
    """File to SHA-256."""


def write(store: Store, service: str, to: Path, now: datetime, progress: Progress) -> Manifest:
    """Back a store up into a new folder.

    Raises:
        BackupError: the folder is there already and not empty.
        OSError: it cannot be written.
    """
    if to.exists() and any(to.iterdir()):
        raise BackupError(f"{to} is not empty: name a new folder for each backup")
    copy = store.elsewhere(to)
    copy.create_tables()
    try:
        copy_store(store, copy, progress)
        log_id, position = copy.log_id, copy.log().head()
    finally:
        copy.close()
    for name in PARTS:
        settle(to / name)
    for left in set(to.iterdir()) - {to / name for name in PARTS}:
        left.unlink()
    manifest = Manifest(
        format=FORMAT,
        service=service,
        log_id=log_id,
        position=position,
        schema=SCHEMA_VERSION,
        made_at=now.isoformat(),
        parts={name: _digest(to / name) for name in PARTS},
    )
    _store(to, json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


def read(source: Path, service: str) -> Manifest:
    """The manifest of a backup, once every part of it was found to be as it was written.

    Raises:
        BackupError: it is no backup, not this service's, a newer release's, or was changed.
    """
    try:
        manifest = Manifest(**json.loads((source / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        raise BackupError(f"{source} is no backup: it has no {MANIFEST} that can be read") from None
    if manifest.service != service:
        raise BackupError(f"this is a backup of {manifest.service}, not of {service}")
    if manifest.format > FORMAT or manifest.schema != SCHEMA_VERSION:
        raise BackupError(
            f"this backup was made by another release (format {manifest.format}, tables "
            f"{manifest.schema}; known here: {FORMAT}, {SCHEMA_VERSION}): restore it with that one"
        )
    for name in PARTS:
        if not (source / name).is_file() or _digest(source / name) != manifest.parts.get(name):
            raise BackupError(f"{name} of this backup is missing or was changed since it was made")
    return manifest


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
        os.fsync(file.fileno())
    return found.hexdigest()


def _store(to: Path, text: str) -> None:
    with (to / MANIFEST).open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(to)
