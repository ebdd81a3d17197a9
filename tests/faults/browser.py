"""A person at the pages, over HTTP: signs in by a link, fills forms in, follows redirects."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it came: status, address and HTML."""

    status: int
    path: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What a person reads: no tags, single spaces."""
        bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.html, flags=re.S)
        return " ".join(unescape(bare).split())

    def links(self, pattern: str) -> list[str]:
        """The addresses in the page that match, each once, in order."""
        found = re.findall(r'(?:href|action)="([^"]*)"', self.html)
        return list(dict.fromkeys(unescape(one) for one in found if re.fullmatch(pattern, one)))

    def token(self) -> str:
        """The token that forms of this page carry."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.html)
        return found[1] if found else ""


class Browser:
    """Keeps cookies, and nothing else."""

    def __init__(self, url: Callable[[], str]) -> None:
        """Ask wherever `url` says the pages are at that moment."""
        self._url = url
        self.cookies: dict[str, str] = {}

    def sign_in(self, link: str) -> Seen:
        """Use a sign-in link, by pressing its button."""
        path = urlsplit(link).path
        page = self.get(path)
        return self.post(path, {}, page)

    def get(self, path: str, **headers: str) -> Seen:
        """Look at a page, following redirects."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: Mapping[str, Any], of: Seen, **headers: str) -> Seen:
        """Send a form of the page `of`, and look at where it leads."""
        sent = {"form_token": of.token(), **fields}
        return self._ask("POST", path, urlencode(sent, doseq=True).encode(), headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Seen:
        for _ in range(5):
            status, told, html = self._once(method, path, body, headers)
            if status not in (302, 303):
                return Seen(status, path, html, told)
            method, body = "GET", None
            path = urljoin(path, told["Location"])
            parts = urlsplit(path)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            path += f"#{parts.fragment}" if parts.fragment else ""
        raise RecursionError("one redirect after the other")

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection(urlsplit(self._url()).netloc, timeout=20)
        sent = {"Accept": "text/html", **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path.split("#")[0], body, sent)
            answer = connection.getresponse()
            html = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for header in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, dict(answer.getheaders()), html
