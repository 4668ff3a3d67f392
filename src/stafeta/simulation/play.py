"""Play one script in an empty database and return what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.management.color import no_style
from django.db import connection

from stafeta.accounts.models import Instance
from stafeta.simulation.judge import Violation
from stafeta.simulation.script import Script
from stafeta.simulation.world import World

DAYS_A_YEAR = 365.25
KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a script. seen: how often each fault and each outcome occurred; story: everything, where asked."""

    script: Script
    lives: int
    owner_years: float
    seen: Counter[str]
    violations: tuple[Violation, ...]
    story: tuple[tuple[datetime, int, str], ...] = field(default=(), repr=False)


def play(script: Script, *, with_story: bool = False, until_broken: bool = False) -> Verdict:
    """Empty the database and live through the script, or until a promise breaks where that is enough.

    The database must be the simulation's own.
    """
    wipe()
    world = World(script, with_story=with_story, until_broken=until_broken)
    world.live()
    return Verdict(
        script=script,
        lives=len(script.lives),
        owner_years=sum(_years(world, home.life.number) for home in world.people.homes),
        seen=world.seen + _outcomes(world),
        violations=tuple(world.judge.violations),
        story=tuple(world.story or ()),
    )


def wipe() -> None:
    """Delete every row of every table."""
    tables = [table for table in connection.introspection.table_names() if table not in KEPT_TABLES]
    statements = connection.ops.sql_flush(no_style(), tables, reset_sequences=False, allow_cascade=True)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    Instance.objects.create(identity="0" * 32)


def _years(world: World, life: int) -> float:
    """An owner's time ends with the release that nobody takes back."""
    gone = world.people.gone_for_good.get(life)
    final = [at for at in world.judge.released.get(life, {}).values() if gone is not None and at >= gone]
    until = min(final, default=world.now)
    return (until - world.script.begins) / timedelta(days=DAYS_A_YEAR)


def _outcomes(world: World) -> Counter[str]:
    found: Counter[str] = Counter()
    for home in world.people.homes:
        life = home.life.number
        released = bool(world.judge.released.get(life))
        if life in world.people.gone_for_good:
            found["outcome: gone and released"] += released
        else:
            found["outcome: back after a release" if released else "outcome: never released"] += 1
    return found
