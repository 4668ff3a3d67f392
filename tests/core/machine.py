"""The ladder as a machine that Hypothesis drives: whoever may act, acts, in any order; judge and witness watch.

What it finds it shrinks to the shortest story. `test_machine.py` runs it over the ladder as it is, and over ladders
with one seeded fault each.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from stafeta.core.policy import WINDOW_S_MIN, By, Choices, Policy, compile_policy
from stafeta.core.states import (
    Armed,
    AskedToWait,
    CheckedIn,
    Climbing,
    Event,
    Evidence,
    GaveGoAhead,
    PauseBegan,
    PauseEnded,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Resting,
    Restored,
    StoodDown,
    Ticked,
    Vouched,
)
from tests.core.ladders import DAY_S, HOUR_S
from tests.core.stage import DANA, STEPS_MAX, Stage
from tests.core.witness import LADDER, REPORTS

CONTACTS = st.integers(11, 13)
WAYS = st.sampled_from(By)
SMALL = st.builds(
    lambda chosen, contacts: compile_policy(chosen, contacts=contacts),
    st.builds(
        Choices,
        zone=st.sampled_from(["Europe/Prague", "Pacific/Apia", "UTC"]),
        interval_days=st.sampled_from([1, 14, 365]),
        email_attempts=st.integers(1, 2),
        email_window_s=st.sampled_from([WINDOW_S_MIN, DAY_S]),
        sms_attempts=st.integers(0, 1),
        trusted_attempts=st.integers(0, 2),
        trusted_window_s=st.sampled_from([2 * DAY_S, DAY_S]),
        cooling_off_days=st.sampled_from([0, 2]),
        may_go_ahead=st.sampled_from([True, True, False]),
    ),
    st.integers(0, 3),
)


class SwitchMachine(Stage):
    """Who may act: the owner, the contacts, the providers, the clocks and an operator who restores."""

    @initialize(policy=SMALL)
    def begins(self, policy: Policy) -> None:
        self.raise_curtain(policy)

    # The owner

    @precondition(lambda self: isinstance(self.state, Resting))
    @rule()
    def arms(self) -> None:
        self.happens(Armed())

    @precondition(lambda self: not isinstance(self.state, Resting))
    @rule(
        word=st.sampled_from(["link", "sign_in", "stand_down", "pause", "end_pause", "arm"]), days=st.integers(-1, 367)
    )
    def owner_is_heard(self, word: str, days: int) -> None:
        events: dict[str, Event] = {
            "link": CheckedIn(Evidence.LINK, self.state.cycle),
            "sign_in": CheckedIn(Evidence.SIGN_IN),
            "stand_down": StoodDown(),
            "pause": PauseBegan(self.now + timedelta(days=days)),
            "end_pause": PauseEnded(),
            "arm": Armed(),
        }
        self.happens(events[word])

    @rule(policy=SMALL)
    def owner_changes_the_ladder(self, policy: Policy) -> None:
        self.happens(CheckedIn(Evidence.SCHEDULE), next_policy=policy)

    @rule(age=st.sampled_from([1, 2, -1]), who=CONTACTS)
    def somebody_uses_a_link_of_another_cycle(self, age: int, who: int) -> None:
        cycle = self.state.cycle - age
        for event in (CheckedIn(Evidence.LINK, cycle), Vouched(cycle, who), GaveGoAhead(cycle, who)):
            self.happens(event)

    # The contacts

    @rule(who=CONTACTS, days=st.integers(0, 31))
    def contact_speaks_whether_asked_or_not(self, who: int, days: int) -> None:
        for event in (GaveGoAhead(self.state.cycle, who), AskedToWait(self.state.cycle, who, days)):
            self.happens(event)

    @precondition(lambda self: self.is_contacts_turn())
    @rule(who=CONTACTS)
    def contact_vouches(self, who: int) -> None:
        self.happens(Vouched(self.state.cycle, who))

    @precondition(lambda self: self.is_contacts_turn())
    @rule(who=CONTACTS, days=st.integers(1, 30))
    def contact_asks_to_wait(self, who: int, days: int) -> None:
        self.happens(AskedToWait(self.state.cycle, who, days))

    @precondition(lambda self: self.is_contacts_turn())
    @rule(who=CONTACTS)
    def contact_vouches_again_and_again(self, who: int) -> None:
        for _ in range(4):
            if self.is_contacts_turn():
                self.happens(Vouched(self.state.cycle, who))
                self.silence_lasts_until_the_contacts_are_asked()

    @precondition(lambda self: self.is_contacts_turn())
    @rule(who=CONTACTS)
    def contact_says_go_ahead(self, who: int) -> None:
        self.happens(GaveGoAhead(self.state.cycle, who))

    @precondition(lambda self: self.is_contacts_turn())
    @rule(who=CONTACTS, other=CONTACTS)
    def contact_uses_up_all_waiting_and_then_changes_their_mind(self, who: int, other: int) -> None:
        for _ in range(2):
            self.happens(AskedToWait(self.state.cycle, other, 30))
            self.until_due()
        for word in (GaveGoAhead(self.state.cycle, who), AskedToWait(self.state.cycle, who, 1)):
            self.happens(word)

    # Providers

    @precondition(lambda self: isinstance(self.state, Climbing))
    @rule(who=CONTACTS, by=WAYS)
    def provider_accepts(self, who: int, by: By) -> None:
        self.happens(PromptAccepted(*self.prompt(who, by)))

    @precondition(lambda self: isinstance(self.state, Climbing))
    @rule(who=CONTACTS, by=WAYS)
    def provider_refuses(self, who: int, by: By) -> None:
        self.happens(PromptRefused(*self.prompt(who, by)))

    @precondition(lambda self: isinstance(self.state, Climbing))
    @rule(who=CONTACTS, by=WAYS)
    def prompt_comes_back(self, who: int, by: By) -> None:
        self.comes_back(who, by)

    @precondition(lambda self: self.standing())
    @rule(number=st.integers(0, 63), hours=st.sampled_from([0, 1, 6]))
    def prompt_that_stood_comes_back(self, number: int, hours: int) -> None:
        """Perhaps after another one was accepted, later than this one."""
        person, by = self.standing()[number % len(self.standing())]
        self.service_s += hours * HOUR_S
        self.happens(PromptAccepted(*self.prompt(person, by.other)))
        self.comes_back(person, by)

    @precondition(lambda self: self.judge.askings)
    @rule(number=st.integers(0, 63), verdict=st.sampled_from(REPORTS), by=WAYS)
    def provider_reports_late_or_once_more(self, number: int, verdict: type, by: By) -> None:
        """A report that was heard, or the first word of a prompt of a rung that was left: neither changes anything."""
        if self.reports:
            self.must_change_nothing(self.reports[number % len(self.reports)])
        places = [place for place in self.judge.askings if place != self.place()]
        if places:
            place = places[number % len(places)]
            more = {"others_reached": False} if verdict is PromptBounced else {}
            self.must_change_nothing(verdict(*place, self.judge.askings[place].asks, DANA, by, **more))

    # Time

    @rule(slip_s=st.sampled_from([0, 0, -1]))
    def time_is_due(self, slip_s: int) -> None:
        self.until_due(slip_s=slip_s)

    @rule(hours=st.sampled_from([0, 1, 6, 12, 24, 40 * 24]))
    def worker_ticks_after_a_time(self, hours: int) -> None:
        self.passes(hours * HOUR_S)

    @rule(days=st.integers(-800, 800), late_s=st.sampled_from([0, 1, HOUR_S, 40 * DAY_S]))
    def clocks_go_wrong(self, days: int, late_s: int) -> None:
        """The wall clock jumps, or a slow worker brings an old service second."""
        now_s, self.service_s = self.service_s, max(0, self.service_s - late_s)
        self.now += timedelta(days=days)
        self.happens(Ticked())
        self.service_s = now_s

    @precondition(lambda self: isinstance(self.state, LADDER))
    @rule()
    def rung_passes(self) -> None:
        self.accept_and_pass()

    @precondition(lambda self: not self.witness.asked and not isinstance(self.state, (Resting, Released)))
    @rule()
    def silence_lasts_until_the_contacts_are_asked(self) -> None:
        for _ in range(STEPS_MAX):
            if self.witness.asked or isinstance(self.state, Released):
                return
            self.accept_and_pass()
        raise AssertionError("the ladder stands still")

    @precondition(lambda self: not isinstance(self.state, Resting))
    @rule()
    def instance_is_restored(self) -> None:
        self.happens(Restored())
