"""Addresses of the account: our own pages, and django-allauth's under /account/auth/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/auth/", include("allauth.urls")),
]
