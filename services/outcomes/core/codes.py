"""Check digits of the codes an instrument is known by, so that a misprinted one stops the start."""

_DIHEDRAL = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTED = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def loinc_checks(code: str) -> bool:
    """Whether the digit behind the hyphen is the mod-10 check digit of those before it."""
    number, _, check = code.partition("-")
    if not (_digits(number) and _digits(check) and len(check) == 1):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return (10 - total % 10) % 10 == int(check)


def snomed_checks(code: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of a SNOMED CT concept."""
    if not (_digits(code) and 6 <= len(code) <= 18 and code[0] != "0"):
        return False
    state = 0
    for place, digit in enumerate(reversed(code)):
        state = int(_DIHEDRAL[state][int(_PERMUTED[place % 8][int(digit)])])
    return state == 0


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
