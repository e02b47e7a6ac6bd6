"""Which way back a past deploy offers: the room's newest to the last good version, an older one that was live to what
was live before it."""

from pipelines.domain.commands import Pin
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Outcome
from pipelines.domain.room import Room


def way_back(deploy: Deploy, room: Room) -> Pin | None:
    """Where a rollback of this deploy goes, or None: it changed nothing that can be gone back from."""
    if deploy.id == room.last:
        return deploy.rollback
    before = deploy.replaces
    if deploy.outcome is not Outcome.LIVE or before is None or not room.was_good(before.commit):
        return None
    if max(room.good, key=lambda good: good.at).commit == before.commit:
        return None  # it is live again
    return Pin(version=before.version, commit=before.commit, until=room.live_deploy)
