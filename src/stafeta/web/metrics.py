"""The service in figures, in the text format of Prometheus: read from the database as they are asked for.

Every process answers the same, for nothing is kept in one; no figure is about a person. Lengths are seconds of the
service's own clock, which runs as fast as life everywhere but in the demo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import product
from typing import Final

from django.db.models import Count, QuerySet
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stafeta.outbox.models import Attempt, Message
from stafeta.switches.canary import Canary
from stafeta.switches.models import Hold, Outage, Switch
from stafeta.switches.vital_signs import DAY, VitalSigns, newest
from stafeta.switches.wellbeing import Wellbeing
from stafeta.vault.closed import Closed

HOUR: Final = timedelta(hours=1)
PHASES: Final = ("Resting", "Waiting", "Paused", "Climbing", "Held", "Released")
SETTLED: Final = tuple(state for state in Message.State.values if state != Message.State.QUEUED)

Rows = QuerySet[Message] | QuerySet[Attempt] | QuerySet[Switch]


def exposition(found: Wellbeing) -> bytes:
    """Return the page that Prometheus reads. Raises DatabaseError."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(found))
    return generate_latest(registry)


class _Collected(Collector):
    """What one scrape sees."""

    def __init__(self, found: Wellbeing) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        yield from _verdict(self._found)
        yield from _time(self._found.signs)
        yield from _ladders(self._found.signs)
        yield from _messages(self._found.signs)
        yield from _vault(self._found.signs.closed)
        yield from _canary(self._found)

    def describe(self) -> Iterable[Metric]:
        return ()


def _verdict(found: Wellbeing) -> Iterator[Metric]:
    yield _gauge("well", "Whether everything that /readyz looks at is well.", found.ok)
    checks = (((check.name,), check.ok) for check in found.checks)
    yield _gauges("check", "Whether one thing that /readyz looks at is well.", ("name",), checks)


def _time(signs: VitalSigns) -> Iterator[Metric]:
    hearing = signs.hearing
    words = "Seconds during which owners could be heard."
    yield CounterMetricFamily("stafeta_service_seconds", words, value=hearing.counted_s)
    if hearing.read_at is not None:
        age = signs.now - hearing.read_at
        yield _gauge("tick_age_seconds", "How long ago a worker last did a round.", age.total_seconds())
    deaf = signs.now - hearing.deaf_since if hearing.deaf_since else timedelta()
    yield _gauge("deaf_seconds", "For how long owners have not been heard; 0 while they are.", deaf.total_seconds())
    outages = Outage.objects.filter(began_at__gt=signs.now - DAY).count()
    yield _gauge("outages_last_day", "Outages that began within 24 hours.", outages)
    holds = (((kind,), kind == hearing.hold) for kind in Hold.Kind.values)
    yield _gauges("held", "Whether everything is held, by the kind of the hold that counts.", ("kind",), holds)


def _ladders(signs: VitalSigns) -> Iterator[Metric]:
    phases = _counted(Switch.objects.all(), phase=PHASES)
    yield _gauges("switches", "Switches by phase.", ("phase",), phases.items())
    due = Switch.objects.filter(due_at__lte=signs.now).count()
    due += Switch.objects.filter(due_s__lte=signs.hearing.counted_s).count()
    yield _gauge("switches_due", "Switches whose next step is due.", due)
    yield _gauge("switches_overdue_seconds", "For how long the oldest of them was kept.", signs.overdue.total_seconds())
    yield _gauge("switches_aside", "Switches set aside by a fault.", signs.aside)
    releases = Switch.objects.filter(released_at__gt=signs.now - DAY).count()
    yield _gauge("releases_last_day", "Switches released within 24 hours.", releases)


def _messages(signs: VitalSigns) -> Iterator[Metric]:
    by = ("channel",)
    waiting = [((channel,), one) for channel, one in signs.waiting.items()]
    counts = ((key, one.count) for key, one in waiting)
    oldest = ((key, one.oldest.total_seconds()) for key, one in waiting)
    late = ((key, one.late.total_seconds()) for key, one in waiting)
    failing = {one.channel for one in signs.failing}
    yield _gauges("messages_waiting", "Messages to be sent.", by, counts)
    yield _gauges("messages_oldest_seconds", "How long the oldest of them has waited.", by, oldest)
    yield _gauges("messages_late_seconds", "How long the one whose turn came first was left lying.", by, late)
    away = (((channel,), channel in failing) for channel in signs.waiting)
    yield _gauges("provider_failing", "Whether the provider takes nothing of what waits for it.", by, away)

    settled = newest(Message).filter(settled_at__gt=signs.now - DAY).exclude(state=Message.State.QUEUED)
    ended = _counted(settled, channel=Message.Channel.values, state=SETTLED)
    words = "Messages that came to an end within 24 hours."
    yield _gauges("messages_last_day", words, ("channel", "state"), ended.items())
    tries = _counted(newest(Attempt).filter(at__gt=signs.now - HOUR), outcome=Attempt.Outcome.values)
    yield _gauges("attempts_last_hour", "Attempts to send within an hour.", ("outcome",), tries.items())
    words = "Messages of ladders and releases that reached nobody, within 24 hours."
    yield _gauge("dead_letters_last_day", words, signs.dead)


def _vault(closed: Closed) -> Iterator[Metric]:
    words = "Handovers that no key at hand opens, by the reason."
    why = (("missing", closed.missing), ("damaged", closed.damaged), ("given_up", closed.given_up))
    yield _gauges("handovers_closed", words, ("why",), (((reason,), count) for reason, count in why))


def _canary(found: Wellbeing) -> Iterator[Metric]:
    life, now = found.signs.canary, found.signs.now
    if life is None:
        return
    said = (((one.value,), one is found.canary) for one in Canary)
    yield _gauges("canary", "What the canary says.", ("says",), said)
    for name, words, at in (
        ("asked", "How long ago the canary was asked.", life.asked_at),
        ("accepted", "How long ago a provider took that question.", life.accepted_at),
        ("answered", "How long ago the canary gave a sign of life.", life.answered_at),
    ):
        if at is not None:
            yield _gauge(f"canary_{name}_age_seconds", words, (now - at).total_seconds())


def _counted(rows: Rows, **labels: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Return how many rows there are of each combination of values, zero for those there are none of."""
    counts: dict[tuple[str, ...], int] = dict.fromkeys(product(*labels.values()), 0)
    for *key, count in rows.order_by().values_list(*labels).annotate(n=Count("pk")):
        counts[tuple(key)] = count
    return counts


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"stafeta_{name}", words, value=float(value))


def _gauges(name: str, words: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(f"stafeta_{name}", words, labels=labels)
    for key, value in values:
        family.add_metric(key, float(value))
    return family
