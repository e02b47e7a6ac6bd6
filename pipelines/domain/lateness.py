"""When it is too late to start something unasked: what was right an hour ago may be wrong by now.

What counts is the time between the moment at which a step could have been started and now, not how long the bot was
away: a script that ran all the while and has just ended makes nothing late.
"""

from datetime import datetime, timedelta

from pipelines.domain.deploy import Deploy
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work

LATE = timedelta(minutes=15)


def late_since(deploy: Deploy, now: datetime) -> datetime | None:
    """Since when the next step could have been started, where that is too long ago to start it unasked."""
    return deploy.ready if deploy.ready is not None and now - deploy.ready > LATE else None


def missed(work: Work, claimed_at: datetime, now: datetime) -> bool:
    """Whether an attempt that was claimed, and that nobody began, is too late by now. A question may have been asked
    for all of its time before it had to be begun again; a wait is over when its time is, whoever waited."""
    seconds = work.pause + (work.timeout if work.how in (How.HTTP, How.TCP) else 0.0)
    return work.how is not How.WAIT and now - claimed_at - timedelta(seconds=seconds) > LATE
