"""Addresses that programs look at to see whether all is well. `WatchMiddleware` answers them before anything else."""

from django.urls import URLPattern, URLResolver, path

from stafeta.web.views import watch

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", watch.healthz, name="healthz"),
    path("readyz", watch.readyz, name="readyz"),
    path("metrics", watch.metrics, name="metrics"),
]
