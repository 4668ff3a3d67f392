"""Errors carry facts, and say them in one sentence."""

from __future__ import annotations

import inspect

import pytest

from stafeta.core import errors
from stafeta.core.errors import (
    ChannelUnavailable,
    ConfigurationError,
    DeliveryRefused,
    HoldExhausted,
    NotReady,
    Obsolete,
    PolicyError,
    StafetaError,
    WrongCycle,
)

ALL = [cls for _name, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]


def test_every_error_of_the_house_hangs_on_one_tree() -> None:
    assert all(issubclass(cls, StafetaError) for cls in ALL)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    for cls in ALL:
        assert cls.__name__ in errors.__doc__


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConfigurationError("STAFETA_X", "is empty", "Set it."), "STAFETA_X: is empty. Set it."),
        (DeliveryRefused("no such mailbox", permanent=True), "refused (permanently): no such mailbox"),
        (DeliveryRefused("mailbox full", permanent=False), "refused (for now): mailbox full"),
        (ChannelUnavailable("timeout"), "channel unavailable: timeout"),
        (PolicyError("interval_days", 0, 1, 365), "interval_days is 0; it must lie between 1 and 365"),
        (NotReady(("email", "phone")), "not ready: email, phone"),
        (WrongCycle(3, 5), "cycle 3 has ended; this is cycle 5"),
        (HoldExhausted(60), "only 60 s of waiting are left in this cycle"),
        (Obsolete("the owner answered"), "obsolete: the owner answered"),
    ],
)
def test_an_error_says_its_facts(error: StafetaError, sentence: str) -> None:
    assert str(error) == sentence
