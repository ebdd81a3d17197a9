"""Check digits of LOINC and SNOMED CT codes: one wrong digit or two swapped do not pass."""

import pytest

from services.outcomes.core.codes import loinc_checks, snomed_checks


@pytest.mark.parametrize(
    "code", ["718-7", "2160-0", "44261-6", "70274-6", "101698-9", "75624-7", "7992739871-3"]
)
def test_loinc_check_digits(code: str) -> None:
    number, _, check = code.partition("-")
    assert [one for one in "0123456789" if loinc_checks(f"{number}-{one}")] == [check]


@pytest.mark.parametrize(
    "code",
    ["100005", "123451", "73211009", "718583008", "716613004", "720433000", "720211004",
     "900000000000207008"],
)  # fmt: skip
def test_snomed_check_digits(code: str) -> None:
    assert [one for one in "0123456789" if snomed_checks(code[:-1] + one)] == [code[-1]]
    for place in range(1, len(code)):
        if code[place - 1] != code[place]:
            swapped = code[: place - 1] + code[place] + code[place - 1] + code[place + 1 :]
            assert not snomed_checks(swapped)


@pytest.mark.parametrize(
    "code", ["12340", "1234567890123456781", "0123454", "73211009-", "x73211009"]
)
def test_a_snomed_code_has_6_to_18_digits_of_which_the_first_is_not_0(code: str) -> None:
    assert not snomed_checks(code)


@pytest.mark.parametrize("code", ["", "x", "44261", "44261-", "-6", "44261-66", "٤٤٢٦١-6"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert not loinc_checks(code)
    assert not snomed_checks(code)
