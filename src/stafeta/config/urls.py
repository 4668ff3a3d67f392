"""The root of all addresses: everything a person sees lives in `web`."""

from django.urls import include, path

urlpatterns = [path("", include("stafeta.web.urls"))]
