"""The documents lead somewhere: every relative link names a file or folder that is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")


def documents() -> list[str]:
    """The Markdown files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


@pytest.mark.parametrize("name", documents())
def test_every_relative_link_leads_somewhere(name: str) -> None:
    path = ROOT / name
    links = LINK.findall(path.read_text("utf-8"))
    missing = [link for link in links if not (path.parent / link).exists()]
    assert not missing
