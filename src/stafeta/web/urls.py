"""The addresses of the pages. Each area names its own; names are unique without namespaces."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from stafeta.web.views.languages import switch_language
from stafeta.web.views.links import landing

urlpatterns: list[URLPattern | URLResolver] = [
    path("l/<str:token>/", landing, name="landing"),
    path("language/", switch_language, name="set_language"),
    path("", include("stafeta.web.urls_accounts")),
]
for _area in ("vault", "owner", "public"):
    if find_spec(f"stafeta.web.urls_{_area}"):
        urlpatterns.append(path("", include(f"stafeta.web.urls_{_area}")))
