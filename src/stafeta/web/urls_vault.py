"""Addresses of the pages around content: the owner's handovers, a recipient's consent, and the release."""

from django.urls import URLPattern, URLResolver, path

from stafeta.web.views import (
    attachments,
    consent,
    copies,
    handover_edit,
    handover_versions,
    handovers,
    release,
    uploads,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("handovers/", handovers.handovers, name="handovers"),
    path("handovers/new/", handovers.new, name="handover-new"),
    path("handovers/preview/", handover_edit.preview, name="handover-preview"),
    path("handovers/<int:pk>/", handover_edit.handover, name="handover"),
    path("handovers/<int:pk>/autosave/", handover_edit.autosave, name="handover-autosave"),
    path("handovers/<int:pk>/terms/", handovers.terms, name="handover-terms"),
    path("handovers/<int:pk>/as-recipient/", handover_versions.as_recipient, name="handover-as-recipient"),
    path("handovers/<int:pk>/download/", attachments.download_all, name="handover-download"),
    path("handovers/<int:pk>/copy/", copies.copy, name="handover-copy"),
    path("handovers/<int:pk>/versions/", handover_versions.versions, name="handover-versions"),
    path("handovers/<int:pk>/versions/<int:number>/", handover_versions.version, name="handover-version"),
    path("handovers/<int:pk>/delete/", handovers.delete, name="handover-delete"),
    path("handovers/<int:pk>/restore/", handovers.restore, name="handover-restore"),
    path("handovers/<int:pk>/attachments/", attachments.attach, name="handover-attach"),
    path("handovers/<int:pk>/attachments/<int:number>/", attachments.attachment, name="handover-attachment"),
    path("handovers/<int:pk>/attachments/<int:number>/remove/", attachments.remove, name="handover-attachment-remove"),
    path(
        "handovers/<int:pk>/attachments/<int:number>/restore/", attachments.restore, name="handover-attachment-restore"
    ),
    path("handovers/<int:pk>/uploads/", uploads.begin, name="handover-uploads"),
    path("handovers/<int:pk>/uploads/<int:number>/part/", uploads.part, name="handover-upload-part"),
    path("handovers/<int:pk>/uploads/<int:number>/finish/", uploads.finish, name="handover-upload-finish"),
    path("handovers/<int:pk>/uploads/<int:number>/discard/", uploads.discard, name="handover-upload-discard"),
    path("consent/", consent.consent, name="consent"),
    path("consent/phone/", consent.phone, name="consent-phone"),
    path("consent/erase/", consent.erase_me, name="consent-erase"),
    path("consent/erased/", consent.erased, name="consent-erased"),
    path("release/", release.release, name="release"),
    path("release/code/", release.code, name="release-code"),
    path("release/read/", release.read, name="release-read"),
    path("release/download/", release.download_all, name="release-download"),
    path("release/attachments/<int:pk>/", release.attachment, name="release-attachment"),
    path("release/mail/<int:pk>/", release.mail, name="release-mail"),
]
