"""One deploy on Slack, as far as it is shared by those who paint it: its newest state, its postings, what to do when
Slack does not."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from handlers.slack.api import Fault, Trouble
from handlers.slack.budget import Budgets, Rank
from handlers.slack.channels import Channels
from handlers.slack.private import Private
from handlers.slack.sending import Sender
from handlers.slack.tasks import told
from pipelines.domain.deploy import Deploy
from pipelines.shipmate import Posting, Shipmate

log = logging.getLogger(__name__)

SURFACE = "slack"
CARD, CLOSING, TAIL = "card", "closing", "tail"
REMOVED = "removed"  # that the message was removed once and posted again
LOOK_AGAIN = 5.0
WATCH_AGAIN = 10.0
FIRST_WAIT, LONGEST_WAIT, REFUSED_WAIT = 0.5, 10.0, 30.0


class UnreachableError(Exception):
    """There is no posting in the channel of this deploy."""


@dataclass(frozen=True, kw_only=True)
class Studio:
    """What all canvases share."""

    shipmate: Shipmate
    sender: Sender
    budgets: Budgets
    channels: Channels
    private: Private
    clock: Callable[[], datetime]


class Patience:
    """How long to wait after a failure before Slack is tried again."""

    def __init__(self) -> None:
        self._wait = FIRST_WAIT

    def good(self) -> None:
        self._wait = FIRST_WAIT

    async def after(self, fault: Fault) -> None:
        if fault.trouble is Trouble.NO_ROOM:
            raise UnreachableError(fault.error)
        wait = REFUSED_WAIT if fault.trouble is Trouble.REFUSED else self._wait
        log.log(logging.ERROR if fault.trouble is Trouble.REFUSED else logging.INFO, "Slack says %s", fault)
        self._wait = min(self._wait * 2, LONGEST_WAIT)
        await asyncio.sleep(wait)


class Canvas:
    """The postings are ours alone while this process paints, so they are read once."""

    def __init__(self, studio: Studio, deploy: Deploy) -> None:
        self.studio = studio
        self.latest = deploy
        self.postings: dict[str, Posting] = {}
        self._changed: list[asyncio.Event] = []  # one for each who waits for a change
        self.root: asyncio.Future[Posting] = asyncio.get_running_loop().create_future()

    @property
    def id(self) -> str:
        return self.latest.id

    def listening(self) -> asyncio.Event:
        """An event that is set whenever `latest` changed."""
        event = asyncio.Event()
        self._changed.append(event)
        return event

    async def begin(self) -> None:
        self.postings = await self.studio.shipmate.postings(self.id, SURFACE)

    async def watch(self) -> None:
        """Keep `latest` what it says. Until cancelled."""
        with self.studio.shipmate.listening(f"deploy:{self.id}") as event:
            while True:
                event.clear()
                await self.refresh()
                await told(event, WATCH_AGAIN)

    async def refresh(self) -> Deploy:
        found = await self.studio.shipmate.deploy(self.id)
        if found is not None and found.seq != self.latest.seq:
            self.latest = found
            for event in self._changed:
                event.set()
        return self.latest

    def urgency(self) -> Callable[[], Rank]:
        """The rank of a state at the moment it is asked for: an end, or a question, goes first."""

        def rank() -> Rank:
            pressing = self.latest.outcome is not None or self.latest.waits()
            return Rank.FINAL if pressing else Rank.STATE

        return rank

    async def claim(self, kind: str, channel: str, ts: str = "") -> tuple[Posting, bool]:
        """The posting of a kind, and whether it is claimed only now."""
        posting = Posting(
            deploy=self.id, kind=kind, surface=SURFACE, channel=channel, ts=ts, claimed_at=self.studio.clock()
        )
        if await self.studio.shipmate.claim_posting(posting):
            self.postings[kind] = posting
            return posting, True
        self.postings = await self.studio.shipmate.postings(self.id, SURFACE)
        return self.postings[kind], False

    async def posted(self, posting: Posting) -> Posting:
        await self.studio.shipmate.posted(posting)
        self.postings[posting.kind] = posting
        return posting

    async def removed(self, root: Posting) -> bool:
        """Somebody removed the message. True where it is posted again, with a thread of its own: once, and while nobody
        was told how the deploy ended."""
        if not self.root.done() or self.root.result().ts != root.ts:
            return True  # the other who paints noticed it before
        told = (closing := self.postings.get(CLOSING)) is not None and closing.ts
        if told or REMOVED in self.postings:
            return False
        log.info("somebody removed the message of %s; it is posted again", self.id)
        self.root = asyncio.get_running_loop().create_future()
        for kind in {CARD, TAIL} & self.postings.keys():
            await self.posted(replace(self.postings[kind], ts="", painted=""))
        await self.claim(REMOVED, root.channel, root.ts)
        for event in self._changed:
            event.set()
        return True

    async def is_painted(self, seq: int) -> None:
        """All that this deploy shows is true up to event `seq`."""
        await self.studio.shipmate.painted(self.id, seq)


async def over(canvas: Canvas) -> int:
    """Wait for the end of a deploy of which no more is shown; the number of its last event."""
    changed = canvas.listening()
    while canvas.latest.outcome is None:
        changed.clear()
        await told(changed, LOOK_AGAIN)
    return canvas.latest.seq
