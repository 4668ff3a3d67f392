"""Addresses of the demo; outside one they answer as if they were not there."""

from django.urls import URLPattern, URLResolver, path

from stafeta.web.views import demo

urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/", demo.demo, name="demo"),
    path("demo/now/", demo.demo_now, name="demo-now"),
    path("demo/sign-in/", demo.demo_sign_in, name="demo-sign-in"),
    path("demo/restart/", demo.demo_restart, name="demo-restart"),
]
