"""Addresses of the owner's pages, of the local mailbox and of the operator's page."""

from django.urls import URLPattern, path

from stafeta.web.people import Role
from stafeta.web.views.addresses import address_works
from stafeta.web.views.dashboard import (
    arm_switch,
    dashboard,
    disarm_switch,
    im_fine,
    message_retry,
    pause_end,
    pause_switch,
)
from stafeta.web.views.history import history, history_csv
from stafeta.web.views.mailbox import mailbox, mailbox_html, mailbox_list, mailbox_message
from stafeta.web.views.operator import operator, operator_clock, operator_hold, operator_unhold
from stafeta.web.views.people import (
    contact_move,
    people,
    person_edit,
    person_invite,
    person_new,
    person_remove,
    recipient_ask_key,
)
from stafeta.web.views.schedule import preview, schedule


def _people_paths(role: Role) -> list[URLPattern]:
    name, facts = role.value, {"role": role}
    return [
        path(f"people/{name}s/new/", person_new, facts, name=f"{name}-new"),
        path(f"people/{name}s/<int:pk>/", person_edit, facts, name=f"{name}-edit"),
        path(f"people/{name}s/<int:pk>/invite/", person_invite, facts, name=f"{name}-invite"),
        path(f"people/{name}s/<int:pk>/remove/", person_remove, facts, name=f"{name}-remove"),
    ]


urlpatterns: list[URLPattern] = [
    path("", dashboard, name="dashboard"),
    path("im-fine/", im_fine, name="im-fine"),
    path("arm/", arm_switch, name="arm"),
    path("disarm/", disarm_switch, name="disarm"),
    path("pause/", pause_switch, name="pause"),
    path("pause/end/", pause_end, name="pause-end"),
    path("messages/<int:pk>/retry/", message_retry, name="message-retry"),
    path("addresses/<int:pk>/works/", address_works, name="address-works"),
    path("people/", people, name="people"),
    *_people_paths(Role.CONTACT),
    *_people_paths(Role.RECIPIENT),
    path("people/recipients/<int:pk>/ask-key/", recipient_ask_key, name="recipient-ask-key"),
    path("people/contacts/<int:pk>/move/", contact_move, name="contact-move"),
    path("schedule/", schedule, name="schedule"),
    path("schedule/preview/", preview, name="schedule-preview"),
    path("history/", history, name="history"),
    path("history/csv/", history_csv, name="history-csv"),
    path("mailbox/", mailbox, name="mailbox"),
    path("mailbox/list/", mailbox_list, name="mailbox-list"),
    path("mailbox/<int:number>/", mailbox_message, name="mailbox-message"),
    path("mailbox/<int:number>/html/", mailbox_html, name="mailbox-html"),
    path("operator/", operator, name="operator"),
    path("operator/hold/", operator_hold, name="operator-hold"),
    path("operator/unhold/", operator_unhold, name="operator-unhold"),
    path("operator/clock/", operator_clock, name="operator-clock"),
]
