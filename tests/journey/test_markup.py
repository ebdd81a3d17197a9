"""Every page is HTML as the standard has it: browsers and screen readers have nothing to guess."""

from pathlib import Path

from tests.servers.fixtures import required
from tests.servers.nu import Nu

FAULTY = '<!doctype html><html lang="en"><title>A</title><p id="a b">'


def test_the_checker_finds_no_fault_but_the_one_on_purpose(
    wrapped_pages: dict[str, str], tmp_path: Path
) -> None:
    checker = required(Nu)
    files = [tmp_path / "faulty.html"]
    files[0].write_text(FAULTY, encoding="utf-8")
    for number, (name, html) in enumerate(wrapped_pages.items()):
        legible = "".join(letter if letter.isalnum() else "-" for letter in name)
        files.append(tmp_path / f"{number:02}-{legible}.html")
        files[-1].write_text(html, encoding="utf-8")
    fault, *others = sorted(checker.errors(files), key=lambda said: not said.startswith("faulty"))
    assert "An ID must not contain whitespace" in fault
    assert others == []
