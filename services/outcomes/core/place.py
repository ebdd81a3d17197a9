"""Finds the line of a definition that an error names by its key, since TOML keeps no places."""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([\w\-]+(?:\.[\w\-]+)*)\s*=")


def line_of(text: str, key: str) -> int | None:
    """The line, from 1, where `key` (such as "norm.sd" or "risk[0].item") stands.

    Where the key itself is not written, the line of what it should stand in; None where that
    is the document as a whole.
    """
    places = _places(text)
    while key:
        if key in places:
            return places[key]
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return None


def _places(text: str) -> dict[str, int]:
    """Every table and key with the line of its first mention; lists of tables are counted."""
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    path = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            path = _counted(header[2], counts, opens=header[1] == "[[")
            places.setdefault(path.partition("[")[0], number)
            places.setdefault(path, number)
        elif key := _KEY.match(line):
            places.setdefault(f"{path}.{key[1]}" if path else key[1], number)
    return places


def _counted(name: str, counts: dict[str, int], *, opens: bool) -> str:
    """The path of a header, each list of tables in it with the place reached in it."""
    if opens:
        counts[name] = counts.get(name, -1) + 1
    path, parts = "", []
    for part in name.split("."):
        parts.append(part)
        whole = ".".join(parts)
        path = f"{path}.{part}" if path else part
        path += f"[{counts[whole]}]" if whole in counts else ""
    return path
