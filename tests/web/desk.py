"""Dana at her desk: her browser and the world outside, on one clock."""

from __future__ import annotations

import html
import re
from typing import Any

import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from stafeta.accounts.models import User
from stafeta.switches.models import Switch
from tests.signin import sign_in
from tests.world import World


class Desk:
    """Requests are made at the world's time; `english` because assertions are read by everybody."""

    def __init__(self, world: World, owner: User, *, language: str = "en") -> None:
        self.world, self.owner = world, owner
        self.client = Client()
        User.objects.filter(pk=owner.pk).update(language=language)
        with time_machine.travel(world.now):
            sign_in(self.client, owner)

    def get(self, name: str, /, *args: object, **query: str) -> HttpResponse:
        with time_machine.travel(self.world.now, tick=False):
            return self.client.get(reverse(name, args=args), query)  # type: ignore[return-value]

    def post(self, name: str, /, *args: object, follow: bool = True, **data: Any) -> HttpResponse:
        with time_machine.travel(self.world.now, tick=False):
            return self.client.post(reverse(name, args=args), data, follow=follow)  # type: ignore[return-value]

    def text(self, name: str, /, *args: object, **query: str) -> str:
        """Return what the page says, without its tags."""
        response = self.get(name, *args, **query)
        assert response.status_code == 200, response
        return words(response)

    @property
    def switch(self) -> Switch:
        return Switch.objects.get(owner=self.owner)


def words(response: HttpResponse) -> str:
    """Return the text of a page, without its tags, blanks folded."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))
