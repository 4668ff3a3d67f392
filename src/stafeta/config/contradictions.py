"""What settings that are each right alone must not say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stafeta.core.errors import ConfigurationError

if TYPE_CHECKING:
    from stafeta.config.environment import Environment

# Channels for one machine: the built-in mailbox, named or by default, and the console.
TO_NOWHERE: Final = frozenset({"", "mailbox", "console"})


def contradictions(environment: Environment) -> list[ConfigurationError]:
    """Return what is wrong with settings that are each right alone."""
    problems = []
    local_only = "It is for a site on this machine: set STAFETA_SITE_URL to http://localhost:8000, or remove it."
    if environment.clock_scale != 1 and environment.clock_epoch is None:
        problems.append(
            ConfigurationError(
                "STAFETA_CLOCK_EPOCH",
                "a fast clock needs the moment at which it started",
                "Set it to the present moment, as 2026-01-31T09:00:00+00:00, the same for web and worker.",
            )
        )
    if environment.clock_scale != 1 and not environment.is_local:
        problems.append(ConfigurationError("STAFETA_CLOCK_SCALE", "a public site needs the real clock", local_only))
    if environment.debug and not environment.is_local:
        problems.append(ConfigurationError("STAFETA_DEBUG", "it would show the insides to the public", local_only))
    if not environment.is_local:
        problems += _channels_to_nowhere(environment)
    return problems


def two_keyrings() -> ConfigurationError:
    """Return what to say where the keys are named twice."""
    return ConfigurationError(
        "STAFETA_KEYS",
        "STAFETA_KEYS_FILE is set as well, and the keys can come from one place only",
        "Remove one of the two; keep the one that opens the handovers.",
    )


def _channels_to_nowhere(environment: Environment) -> list[ConfigurationError]:
    """Return the channels that accept everything and bring it to nobody: the ladder would climb with nobody asked."""
    channels = {"STAFETA_EMAIL_URL": environment.email_url, "STAFETA_SMS_URL": environment.sms_url}
    problem = "its messages would reach nobody, and yet count as sent"
    remedy = "A public site needs a provider; docs/operations.md lists them."
    return [
        ConfigurationError(name, problem, remedy)
        for name, url in channels.items()
        if url.partition(":")[0].lower() in TO_NOWHERE
    ]
