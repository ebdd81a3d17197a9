"""What is read at start beside the settings: instruments that ship, and a clinic's own files."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from services.outcomes.core import recalibration
from services.outcomes.core.definition import read_all, read_own
from services.outcomes.core.estimate import Defaults, model
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.recalibration import Recalibration
from services.outcomes.core.table import InstrumentError


def registry(folder: str = "") -> dict[str, Instrument]:
    """The instruments that ship, and after them those of the clinic's own folder.

    Raises:
        InstrumentError: a definition is not of the form; the text names file, line and reason.
    """
    shipped = resources.files("services.outcomes") / "instruments"
    files = sorted((one for one in shipped.iterdir()), key=lambda one: one.name)
    texts = [(one.name, one.read_text("utf-8")) for one in files if one.name.endswith(".toml")]
    return read_all(texts) | read_own(_own(folder))


def definition(path: Path) -> Instrument:
    """One definition as it would be read at the start.

    Raises:
        InstrumentError: as `registry`.
    """
    (one,) = read_own([(str(path), _text(path))]).values()
    return one


def recalibrations(
    file: str, instruments: Mapping[str, Instrument], numbers: Defaults, weeks: float
) -> dict[str, Recalibration]:
    """The clinic's own recalibrations of P(fail) by instrument; none where no file is named.

    Args:
        file: what `pivotpoint fit --recalibration` wrote, or several such files joined.
        instruments: those that are known.
        numbers: the model's, in force.
        weeks: how far ahead P(fail) looks.

    Raises:
        InstrumentError: it cannot be used; the text names file, line and reason.
    """
    if not file:
        return {}
    if not Path(file).is_file():
        raise InstrumentError(file, "as a whole", "is no file of recalibrations")
    models = {name: model(one, numbers) for name, one in instruments.items()}
    return recalibration.read(file, _text(Path(file)), models, weeks)


def _own(folder: str) -> list[tuple[str, str]]:
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise InstrumentError(folder, "as a whole", "is no folder of instruments")
    return [(str(path), _text(path)) for path in sorted(Path(folder).glob("*.toml"))]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InstrumentError(str(path), "as a whole", "is not written in UTF-8") from None
