"""Spans, moments and counts as people read them."""

from datetime import UTC, datetime


def span(seconds: float) -> str:
    """`0.4 s`, `42 s`, `12 min`, `3 h 5 min`, `2 days`."""
    if seconds < 1:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def between(start: datetime, end: datetime) -> str:
    return span((end - start).total_seconds())


def clock(moment: datetime, now: datetime | None = None) -> str:
    """`14:02 UTC`; with the day where that is another one than today's."""
    moment = moment.astimezone(UTC)
    if now is not None and moment.date() != now.astimezone(UTC).date():
        return f"{moment:%Y-%m-%d %H:%M} UTC"
    return f"{moment:%H:%M} UTC"


def counted(number: int, thing: str) -> str:
    """`1 commit`, `3 commits`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
