"""Somebody's phone at a door: its cookie, its forms, without a script."""

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.functions.world import Answer, World

FORM = "application/x-www-form-urlencoded"
_FORMS = re.compile(r'<form method="post" action="([^"]+)">(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Phone:
    world: World
    room: str
    cookie: str = ""
    page: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def look(self, where: str = "") -> Answer:
        """The page, whose forms are used from now on."""
        path = where if where.startswith("/") else f"/door/{self.room}{f'/{where}' if where else ''}"
        answer = self.world.nobody.get(path, headers=self._sent())
        self._keep(answer)
        return answer

    def do(self, deed: str, headers: dict[str, str] | None = None, **typed: Any) -> Answer:
        """Send a form of the page, filled in."""
        return self.send(deed, {**self.form(deed), **typed}, headers)

    def send(self, deed: str, fields: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        sent = {**self._sent(), "content-type": FORM, **(headers or {})}
        body = urlencode(fields).encode()
        answer = self.world.nobody.post(f"/door/{self.room}/{deed}", raw_body=body, headers=sent)
        self._keep(answer)
        return answer

    def follow(self, deed: str, **typed: Any) -> str:
        """The page after a form that has to be taken."""
        answer = self.do(deed, **typed)
        assert answer.status == 303, (answer.status, words(answer))
        return words(self.look(answer.location))

    def form(self, deed: str) -> dict[str, str]:
        """The hidden fields of a form of the page."""
        for action, content in _FORMS.findall(self.page):
            if action == f"/door/{self.room}/{deed}":
                return {name: html.unescape(value) for name, value in _HIDDEN.findall(content)}
        raise AssertionError(f"there is no form to {deed}")

    def offers(self, deed: str) -> bool:
        return any(action.endswith(f"/{deed}") for action, _ in _FORMS.findall(self.page))

    def _sent(self) -> dict[str, str]:
        return {**self.headers, **({"cookie": self.cookie} if self.cookie else {})}

    def _keep(self, answer: Answer) -> None:
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        if answer.content:
            self.page = answer.content.decode()


def words(answer: Answer) -> str:
    """What a page says, without its tags."""
    text = re.sub(r"<(style|script|title)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
