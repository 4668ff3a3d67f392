"""The two gates after a release, reminders, and the owner's return (ladder.md, "After the release")."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of
from stafeta.channels.text import SMS_CHARS_MAX, gsm7_length
from stafeta.core.errors import BadLink, CodeExpired, WrongCode
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.vault.models import ConsentState, Grant, Handover, Reading, Recipient
from stafeta.vault.selectors import release_behind
from stafeta.vault.services.consent import decline
from stafeta.vault.services.delete_handover import delete_handover
from stafeta.vault.services.reading import ask_code, mail_content, open_by_code, record_reading
from stafeta.vault.services.set_handover_terms import set_handover_terms
from tests import make
from tests.vault.conftest import CYCLE, DAY_S, RELEASED_S, SWITCH, Story, queued, rendered


def read(story: Story, person: Recipient | None = None) -> tuple[Grant, ...]:
    """Let a recipient go through both gates."""
    release = story.opened(person)
    ask_code(release=release, now=story.now, real_now=story.now)
    open_by_code(release=release, digits=code_of(CodeChallenge.objects.latest("pk")), real_now=story.now)
    return record_reading(grants=release.grants, now=story.now)


def test_before_a_release_the_link_opens_nothing(story: Story) -> None:
    with pytest.raises(BadLink):
        story.opened()


def test_a_release_carried_out_twice_grants_once_and_tells_once(story: Story) -> None:
    story.release()
    story.release()
    assert Grant.objects.count() == 1
    assert story.follow_up().told == 1
    assert story.follow_up().told == 0
    assert (len(queued("vault.release")), len(queued("vault.release_sms"))) == (1, 1)


def test_the_news_carries_a_link_and_no_content(story: Story) -> None:
    story.release()
    story.follow_up()
    mail = rendered(queued("vault.release")[0])
    assert mail is not None
    assert mail.to == "ema@example.org"
    assert "/l/" in mail.text
    for part in (mail.text, mail.html, mail.subject):
        assert make.SECRET_TEXT not in part
        assert story.handover.title not in part
    assert mail.headers["References"] == mail.headers["In-Reply-To"]


def test_the_sms_says_only_that_an_e_mail_waits(story: Story) -> None:
    story.dana.name = "Maximilián Přemysl Žluťoučký ze Šternberka a Zbraslavi nad Vltavou"
    story.dana.save()
    story.release()
    story.follow_up()
    sms = rendered(queued("vault.release_sms")[0])
    assert sms is not None
    assert sms.to == story.ema.phone
    assert gsm7_length(sms.text) <= SMS_CHARS_MAX
    assert "Maximilian" in sms.text
    assert "http" not in sms.text


def test_one_who_declined_gets_nothing(story: Story) -> None:
    ivo = make.recipient(story.dana, "ivo@example.org", phone="+420601000005", consent=ConsentState.DECLINED)
    story.handover.recipients.add(ivo)
    story.release()
    story.follow_up()
    assert list(Grant.objects.values_list("recipient", flat=True)) == [story.ema.pk]
    with pytest.raises(BadLink):
        story.opened(ivo)


def test_one_who_declines_after_the_release_is_told_no_more(story: Story) -> None:
    story.release()
    story.follow_up()
    decline(recipient=story.ema, now=story.now)
    assert rendered(queued("vault.release")[0]) is None
    with pytest.raises(BadLink):
        ask_code(release=story.opened(), now=story.now, real_now=story.now)
    assert story.follow_up(days=3).reminded == 0


def test_one_who_never_answered_is_told_and_cannot_read_without_consent(story: Story) -> None:
    Recipient.objects.update(consent=ConsentState.INVITED)
    story.release()
    assert story.follow_up().told == 1
    with pytest.raises(BadLink):
        ask_code(release=story.opened(), now=story.now, real_now=story.now)
    with pytest.raises(BadLink):
        record_reading(grants=story.opened().grants, now=story.now)


def test_the_code_of_the_phone_opens_and_the_reading_is_recorded(story: Story) -> None:
    story.release()
    story.follow_up()
    (grant,) = read(story)
    assert grant.first_read_at == story.now
    assert Reading.objects.get().version == story.handover.revision


def test_a_wrong_or_used_code_opens_nothing(story: Story) -> None:
    story.release()
    release = story.opened()
    with pytest.raises(CodeExpired):
        open_by_code(release=release, digits="12345678", real_now=story.now)
    ask_code(release=release, now=story.now, real_now=story.now)
    with pytest.raises(WrongCode):
        open_by_code(release=release, digits="12345678", real_now=story.now)
    digits = code_of(CodeChallenge.objects.get())
    open_by_code(release=release, digits=digits, real_now=story.now)
    with pytest.raises(CodeExpired):
        open_by_code(release=release, digits=digits, real_now=story.now)
    assert not Reading.objects.exists()


def test_the_code_goes_to_the_phone_of_today(story: Story) -> None:
    story.release()
    ask_code(release=story.opened(), now=story.now, real_now=story.now)
    Recipient.objects.update(phone="+420601000099")
    with pytest.raises(CodeExpired):
        open_by_code(release=story.opened(), digits=code_of(CodeChallenge.objects.get()), real_now=story.now)
    ask_code(release=story.opened(), now=story.now, real_now=story.now)
    sms = rendered(queued("vault.code")[-1])
    assert sms is None or sms.to == "+420601000099"


def test_a_code_for_consent_opens_no_release(story: Story) -> None:
    from stafeta.vault.services.consent import ask_phone_code

    story.release()
    ask_phone_code(recipient=story.ema, now=story.now, real_now=story.now)
    with pytest.raises(CodeExpired):
        open_by_code(release=story.opened(), digits=code_of(CodeChallenge.objects.get()), real_now=story.now)


@pytest.mark.parametrize("change", [{"person": 999_999}, {"switch": SWITCH + 1}, {"cycle": CYCLE - 1}])
def test_a_foreign_or_old_link_opens_nothing(story: Story, change: dict[str, int]) -> None:
    story.release()
    facts = {"person": story.ema.pk, "switch": SWITCH, "cycle": CYCLE} | change
    with pytest.raises(BadLink):
        release_behind(Link(Purpose.RELEASE, **facts), service_s=RELEASED_S)


def test_access_ends_with_its_days_of_service_time(story: Story) -> None:
    story.release()
    assert story.opened(days=89.9).grants
    with pytest.raises(BadLink):
        story.opened(days=90)


def test_a_delayed_handover_is_neither_told_nor_shown_before_its_day(story: Story) -> None:
    letter = make.handover(story.dana, story.ema, title="Dopis", delay_days=30)
    story.release()
    story.follow_up()
    assert [grant.handover_id for grant in story.opened().grants] == [story.handover.pk]
    assert [grant.handover_id for grant in read(story)] == [story.handover.pk]
    assert story.follow_up(days=29.9).told == 0
    assert story.follow_up(days=30).told == 1
    assert [grant.handover for grant in story.opened(days=30).unopened] == [letter]


def test_only_those_a_handover_is_for_get_it(story: Story) -> None:
    ivo = make.recipient(story.dana, "ivo@example.org", phone="+420601000005")
    make.handover(story.dana, ivo, title="Pro Iva")
    story.release()
    assert [grant.handover.title for grant in story.opened(ivo).grants] == ["Pro Iva"]
    assert [grant.handover.title for grant in story.opened().grants] == ["Weby klientů"]


def test_a_deleted_handover_and_one_taken_off_it_read_no_more(story: Story) -> None:
    story.release()
    set_handover_terms(handover=story.handover, recipients=[], delay_days=0, access_days=90, now=story.now)
    with pytest.raises(BadLink):
        story.opened()
    Grant.objects.update(closed_at=None)
    delete_handover(handover=story.handover, now=story.now)
    with pytest.raises(BadLink):
        story.opened()


def test_reminders_come_after_3_10_and_30_days_and_stop(story: Story) -> None:
    story.release()
    story.follow_up()
    reminded = [day for day in range(1, 60) if story.follow_up(days=day).reminded]
    assert reminded == [3, 10, 30]
    assert all(rendered(message) for message in queued("vault.reminder"))


def test_who_has_read_is_not_reminded(story: Story) -> None:
    story.release()
    story.follow_up()
    assert story.follow_up(days=3).reminded == 1
    read(story)
    assert rendered(queued("vault.reminder")[0]) is None
    assert story.follow_up(days=10).reminded == 0


def test_the_owners_return_closes_what_was_not_opened_and_tells(story: Story) -> None:
    ivo = make.recipient(story.dana, "ivo@example.org", phone="+420601000005")
    story.handover.recipients.add(ivo)
    story.release()
    story.follow_up()
    Message.objects.update(state=Message.State.ACCEPTED)
    read(story)
    story.come_back()
    with pytest.raises(BadLink):
        story.opened(ivo)
    assert story.opened().opened  # it cannot be unread
    mails = {mail.to: mail for message in queued("vault.false_alarm") if (mail := rendered(message))}
    assert set(mails) == {"ema@example.org", "ivo@example.org"}
    assert "Nechte si ho prosím pro sebe" in mails["ema@example.org"].text
    story.come_back()
    assert len(queued("vault.false_alarm")) == 2


def test_a_return_before_the_news_left_disturbs_nobody(story: Story) -> None:
    story.release()
    story.follow_up()
    story.come_back()
    assert rendered(queued("vault.release")[0]) is None
    assert rendered(queued("vault.release_sms")[0]) is None
    Message.objects.filter(kind__startswith="vault.release").update(state=Message.State.CANCELLED)
    assert rendered(queued("vault.false_alarm")[0]) is None


def test_a_return_before_anybody_was_told_tells_nobody(story: Story) -> None:
    story.release()
    story.come_back()
    assert story.follow_up().told == 0
    assert queued("vault.false_alarm") == []


def test_a_false_alarm_goes_by_sms_where_the_e_mail_never_came(story: Story) -> None:
    story.release()
    story.follow_up()
    Message.objects.filter(kind="vault.release").update(state=Message.State.DEAD)
    Message.objects.filter(kind="vault.release_sms").update(state=Message.State.ACCEPTED)
    story.come_back()
    (message,) = queued("vault.false_alarm")
    sms = rendered(message)
    assert sms is not None
    assert (message.channel, sms.to) == ("sms", story.ema.phone)


def test_a_handover_none_of_whose_people_can_be_reached_is_named(story: Story) -> None:
    """Only the e-mail has the link: an SMS that says "look into your mail" reaches nobody whose mail is refused."""
    ivo = make.recipient(story.dana, "ivo@example.org", phone="+420601000005")
    story.handover.recipients.add(ivo)
    story.release()
    story.follow_up()
    news = Message.objects.filter(kind__startswith="vault.release")
    news.filter(params__recipient=story.ema.pk).update(state=Message.State.DEAD)
    assert story.follow_up().unreached == ()
    news.filter(params__recipient=ivo.pk, channel="sms").update(state=Message.State.DEAD)
    assert story.follow_up().unreached == ()
    news.filter(params__recipient=ivo.pk).update(state=Message.State.ACCEPTED)
    news.filter(params__recipient=ivo.pk, channel="email").update(state=Message.State.BOUNCED)
    assert story.follow_up().unreached == (story.handover.pk,)
    assert story.follow_up().unreached == (story.handover.pk,)


@time_machine.travel(make.NOON)
def test_a_copy_by_e_mail_goes_only_to_who_reads_and_only_while_open(story: Story) -> None:
    story.release()
    story.follow_up()
    (grant,) = read(story)
    mail_content(grant=grant, now=story.now, service_s=RELEASED_S)
    mail_content(grant=grant, now=story.now + timedelta(seconds=1), service_s=RELEASED_S)
    (message,) = queued("vault.content")
    mail = rendered(message)
    assert mail is not None
    assert mail.to == story.ema.email
    assert make.SECRET_TEXT in mail.text
    assert make.SECRET_TEXT in mail.html
    assert "STAFETA-CONTENT" not in mail.text + mail.html
    assert make.SECRET_TEXT not in str(Message.objects.values())
    Grant.objects.update(closed_at=story.now)
    assert rendered(message) is None
    with pytest.raises(BadLink):
        mail_content(grant=grant, now=story.now + timedelta(hours=1), service_s=RELEASED_S)


def test_a_copy_that_could_not_leave_in_time_leaves_no_more(story: Story) -> None:
    """Asked for on the last day, delivered after an outage: by then the recipient may not read it any more."""
    story.release()
    story.follow_up()
    (grant,) = read(story)
    mail_content(grant=grant, now=story.now, service_s=RELEASED_S + 89 * DAY_S)
    (message,) = queued("vault.content")
    with time_machine.travel(story.now + timedelta(hours=23)):
        assert rendered(message)
    with time_machine.travel(story.now + timedelta(hours=25)):
        assert rendered(message) is None


@time_machine.travel(make.NOON)
def test_the_copy_keeps_the_text_to_the_letter(story: Story) -> None:
    from stafeta.vault.services.save_handover import save_handover

    text = "# Nadpis\n\n    heslo s mezerami  \n\n1. a\n   - b \\1 \\g<0>\n"
    save_handover(handover=story.handover, title="T", content=text, base_revision=1, now=story.now)
    story.release()
    story.follow_up()
    (grant,) = read(story)
    mail_content(grant=Grant.objects.get(pk=grant.pk), now=story.now, service_s=RELEASED_S)
    mail = rendered(queued("vault.content")[0])
    assert mail is not None
    assert text in mail.text
    assert "<code>heslo s mezerami  \n</code>" in mail.html


def test_two_workers_at_once_tell_once(story: Story) -> None:
    """The key of a message is its grant's: whatever is queued again is the same message."""
    story.release()
    story.follow_up()
    Grant.objects.update(told_at=None)
    story.follow_up()
    assert Message.objects.filter(kind="vault.release").count() == 1


def test_an_empty_handover_is_not_released(story: Story) -> None:
    Handover.objects.update(content_bytes=0)
    story.release()
    assert not Grant.objects.exists()


def test_the_news_waits_for_service_time_not_for_the_wall_clock(story: Story) -> None:
    make.handover(story.dana, story.ema, title="Dopis", delay_days=30)
    story.release()
    story.now += timedelta(days=400)
    assert story.follow_up().told == 1
    assert Grant.objects.get(told_at=None).opens_at_s == RELEASED_S + 30 * DAY_S
