"""Every owner has one switch, resting until they arm it."""

from __future__ import annotations

from dataclasses import replace

from stafeta.accounts.models import User
from stafeta.accounts.selectors import current_epoch
from stafeta.core.codec import encode
from stafeta.core.policy import Choices, compile_policy
from stafeta.core.states import Resting
from stafeta.switches.models import Switch


def ensure_switch(*, owner: User) -> Switch:
    """Return the owner's switch, made with the standard ladder in their zone if they have none."""
    choices = replace(Choices(), zone=owner.zone)
    state = Resting(cycle=0)
    switch, _made = Switch.objects.get_or_create(
        owner=owner,
        defaults={
            "state": encode(state),
            "policy": encode(compile_policy(choices, contacts=0)),
            "choices": encode(choices),
            "phase": type(state).__name__,
            "cycle": state.cycle,
            "epoch": current_epoch,  # type: ignore[misc]  # asked only where a switch is made
        },
    )
    return switch
