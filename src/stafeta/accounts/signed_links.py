"""Where a signed link becomes a URL and a URL a link again; the format itself is `core.links`."""

from __future__ import annotations

from django.conf import settings

from stafeta.accounts.derived_keys import link_key
from stafeta.core.links import Link, make_token, read_token


def url_for(link: Link) -> str:
    """Return the absolute URL of `link`. It is made when a message is rendered and stored nowhere (invariant 17)."""
    return f"{settings.SITE_URL}/l/{make_token(link, key=link_key())}/"


def link_from(token: str) -> Link:
    """Return the link behind the token of a URL. Raises BadLink."""
    return read_token(token, key=link_key())
