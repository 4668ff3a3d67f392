"""The timeline picture: points become steps in words and places on a strip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.template.loader import render_to_string

from stafeta.web.timeline import STRIP_MARGIN, STRIP_WIDTH, PointKind, TimelinePoint, draw

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def point(
    days: float, kind: PointKind, label: str = "", *, channels: tuple[str, ...] = ("email",), to: str = "Dana"
) -> TimelinePoint:
    return TimelinePoint(at=NOW + timedelta(days=days), kind=kind, label=label, channels=channels, people=(to,))


def test_neighbours_of_one_kind_to_the_same_people_make_one_step() -> None:
    """Three e-mails a day apart are one step; the SMS after them is another, though both are prompts."""
    timeline = draw(
        [
            point(14, "checkin", "Asked"),
            point(15, "prompt", "Asked again"),
            point(16, "prompt", "Asked again"),
            point(17, "prompt", "SMS", channels=("email", "sms")),
        ],
        now=NOW,
    )
    assert [(str(step.title), len(step.points)) for step in timeline.steps] == [
        ("Asked", 1),
        ("Asked again", 2),
        ("SMS", 1),
    ]


def test_points_stand_in_the_order_of_time_inside_the_strip() -> None:
    """Whatever order they come in, later is further right; the first margin is now, the last one the last point."""
    timeline = draw([point(400, "delay"), point(22, "release"), point(14, "checkin")], now=NOW)
    places = [float(dot.x) for dot in timeline.dots]
    assert [dot.kind for dot in timeline.dots] == ["checkin", "release", "delay"]
    assert places == sorted(places)
    assert places[0] > STRIP_MARGIN
    assert places[-1] == STRIP_WIDTH - STRIP_MARGIN


def test_a_long_calm_does_not_hide_the_ladder() -> None:
    """After a year of calm, days of asking are still apart on the strip."""
    timeline = draw([point(365, "checkin"), point(366, "prompt"), point(373, "release")], now=NOW)
    first, second, _ = (float(dot.x) for dot in timeline.dots)
    assert second - first > 50


def test_what_is_overdue_stands_at_now_and_nothing_breaks() -> None:
    """A point in the past (the ladder is running) and two at one moment are drawn, without a width below zero."""
    timeline = draw([point(-1, "checkin"), point(0, "prompt"), point(0, "release")], now=NOW)
    assert [float(band.width) for band in timeline.bands] == [0.0, 0.0, 0.0]


def test_nothing_planned_draws_nothing() -> None:
    """Without points the component is empty."""
    html = render_to_string("web/components/timeline.html", {"timeline": draw([], now=NOW)})
    assert not html.strip()


def test_the_picture_says_everything_in_words_and_needs_no_inline_style() -> None:
    """Names, labels (escaped) and machine-readable times are text; the page's policy finds nothing to block."""
    timeline = draw([point(14, "release", "To <Ema>", to="Ema", channels=("email", "sms"))], now=NOW)
    html = render_to_string("web/components/timeline.html", {"timeline": timeline})
    assert "To &lt;Ema&gt;" in html
    assert 'datetime="2026-01-19T' in html
    assert "e-mail + SMS" in html
    assert "style=" not in html
    assert "<script" not in html
