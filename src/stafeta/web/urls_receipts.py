"""Where providers report what became of a message (channels/receipts.py). Every other address is not found."""

from django.urls import URLPattern, path

from stafeta.web.views.receipts import receipts, signed_receipts

urlpatterns: list[URLPattern] = [
    path("receipts/<slug:service>/", signed_receipts, name="receipts-signed"),
    path("receipts/<slug:service>/<str:secret>/", receipts, name="receipts"),
]
