"""What a service stands on, measured: the version that runs, its disk, its certificates."""

import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509

from services.chassis.metrics import BUILD, CERTIFICATE, DISK_FREE, DISK_SIZE, Catalogue
from services.chassis.place import SQLITE

DATA = "data"


def measure(catalogue: Catalogue, store: str, broker_certificates: str = "") -> None:
    """Measure what `store` (as in the settings) and a broker's certificates are and lie on.

    Files are read whenever the metrics are collected, since a certificate may be renewed.
    """
    catalogue.set(BUILD, 1, version=version("pivotpoint"))
    for kind, file in certificates(store, broker_certificates).items():
        catalogue.read_from(CERTIFICATE, _expiry(file), kind=kind)
    if store.startswith(SQLITE):
        folder = Path(store.removeprefix(SQLITE))
        catalogue.read_from(DISK_FREE, lambda: shutil.disk_usage(folder).free, kind=DATA)
        catalogue.read_from(DISK_SIZE, lambda: shutil.disk_usage(folder).total, kind=DATA)


def certificates(store: str, broker_certificates: str) -> Mapping[str, Path]:
    """What others are checked against: database and broker, where a file is named for them."""
    asked = parse_qs(urlsplit(store).query)
    named = {
        "database": asked.get("sslrootcert", [""])[-1],
        "database client": asked.get("sslcert", [""])[-1],
        "broker": broker_certificates,
    }
    return {kind: Path(file) for kind, file in named.items() if file not in ("", "system")}


def expiry(file: Path) -> float:
    """When the first certificate in a PEM file expires, in seconds since 1970.

    Raises:
        OSError, ValueError: there is none that can be read.
    """
    found = x509.load_pem_x509_certificates(file.read_bytes())
    return min(one.not_valid_after_utc for one in found).timestamp()


def _expiry(file: Path) -> Callable[[], float]:
    return lambda: expiry(file)
