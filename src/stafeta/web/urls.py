"""The addresses of the pages. Each area names its own; names are unique without namespaces."""

from django.urls import URLPattern, URLResolver, include, path

from stafeta.web.views.languages import switch_language
from stafeta.web.views.links import landing

urlpatterns: list[URLPattern | URLResolver] = [
    path("l/<str:token>/", landing, name="landing"),
    path("language/", switch_language, name="set_language"),
    path("", include("stafeta.web.urls_accounts")),
    path("", include("stafeta.web.urls_vault")),
    path("", include("stafeta.web.urls_owner")),
    path("", include("stafeta.web.urls_public")),
    path("", include("stafeta.web.urls_receipts")),
    path("", include("stafeta.web.urls_demo")),
    path("", include("stafeta.web.urls_watch")),
]
