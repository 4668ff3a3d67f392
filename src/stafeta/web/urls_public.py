"""Addresses of the pages for people who came by a signed link, and of the probe."""

from django.urls import URLPattern, URLResolver, path

from stafeta.web.views import checkin, contact_consent, probe, trusted

urlpatterns: list[URLPattern | URLResolver] = [
    path("checkin/", checkin.checkin, name="checkin"),
    path("checkin/thanks/", checkin.thanks, name="checkin-thanks"),
    path("trusted/", trusted.trusted, name="trusted"),
    path("trusted/go-ahead/", trusted.go_ahead, name="trusted-go-ahead"),
    path("trusted/thanks/", trusted.thanks, name="trusted-thanks"),
    path("contact-consent/", contact_consent.contact_consent, name="contact-consent"),
    path("contact-consent/phone/", contact_consent.phone, name="contact-consent-phone"),
    path("contact-consent/erase/", contact_consent.erase_me, name="contact-consent-erase"),
    path("contact-consent/erased/", contact_consent.erased, name="contact-consent-erased"),
    path("probe/<str:challenge>/", probe.probe, name="probe"),
]
